import { join } from "node:path";
import { MAGICS } from "../../magics/rewrite.ts";
import { awaitedName } from "./header.ts";
import { kernelRoot } from "./packages.ts";

const host = (file: string): string => JSON.stringify(join(kernelRoot, "dist", "kernel", "host", "io", file));

/** Declarations of the globals that the host adds to Node's. */
export const globalsText = `declare const clearOutput: (typeof import(${host("console.js")}))["clearOutput"];
declare const comm: (typeof import(${host("comm.js")}))["comm"];
declare const input: (typeof import(${host("input.js")}))["input"];
declare const progress: (typeof import(${host("progress.js")}))["progress"];
declare const ${MAGICS}: any;
declare function ${awaitedName}<Value>(value: Value): Value;
`;
