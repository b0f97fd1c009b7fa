import { join } from "node:path";
import { MAGICS } from "../../magics/names.ts";
import { awaitedName } from "./header.ts";
import { kernelRoot } from "./packages.ts";

const host = (...file: string[]): string => JSON.stringify(join(kernelRoot, "dist", "kernel", "host", ...file));

/** Declarations of the globals that the host adds to Node's. */
export const globalsText = `declare const clearOutput: (typeof import(${host("io", "console.js")}))["clearOutput"];
declare const comm: (typeof import(${host("io", "comm.js")}))["comm"];
declare const input: (typeof import(${host("io", "input.js")}))["input"];
declare const progress: (typeof import(${host("io", "progress.js")}))["progress"];
declare const Deno: (typeof import(${host("deno.js")}))["Deno"];
declare function prompt(message?: string, defaultValue?: string, options?: { password?: boolean }): string;
declare function confirm(message?: string): boolean;
declare function alert(message?: string): void;
declare const ${MAGICS}: any;
declare function ${awaitedName}<Value>(value: Value): Value;
`;
