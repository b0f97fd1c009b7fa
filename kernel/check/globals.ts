import { join } from "node:path";
import { kernelRoot } from "./packages.ts";

const host = JSON.stringify(join(kernelRoot, "dist", "kernel", "host", "comm.js"));

/** What the host puts on the global object besides what Node has. */
export const globalsText = `declare const comm: (typeof import(${host}))["comm"];\n`;
