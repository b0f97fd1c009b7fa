import type { CompilerOptions } from "../../compile/tsconfig.ts";

export const importsTslab = /\b(?:from|import|require\()\s*["']tslab["']/;

/** What tslab checks by, whatever a tsconfig.json says: it reads none, and notebooks written for it rely on that. */
export const tslabOptions: CompilerOptions = { strict: false, noImplicitAny: false, strictNullChecks: false };
