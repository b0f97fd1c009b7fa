import { hubSnapshot } from "../../../src/data/hub/index.ts";

// Downloads the model that the arguments name; hub.test.ts starts several of these at once.
const [name, endpoint, cacheFolder] = process.argv.slice(2);
await hubSnapshot(name!, { endpoint: endpoint!, cacheFolder: cacheFolder! });
