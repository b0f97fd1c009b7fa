import type { CompilerOptions } from "../../compile/tsconfig.ts";

export const importsTslab = /\b(?:from|import|require\()\s*["']tslab["']/;

/** tslab's compiler options. They override tsconfig.json, because tslab reads none and notebooks written for it rely on that. */
export const tslabOptions: CompilerOptions = { strict: false, noImplicitAny: false, strictNullChecks: false };
