/** A debugger that attaches to the address of its argument, lets the program go on, and ends: `node attach.js ws://…`. */
import { connect } from "./inspector-client.ts";

const inspector = await connect(new URL(process.argv[2]!));
await inspector.ask("Runtime.runIfWaitingForDebugger");
process.exit();
