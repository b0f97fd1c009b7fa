import * as v from "valibot";
import { jsonObject } from "../../../src/base/json-schema.ts";
import { UserError } from "../../../src/base/user-error.ts";
import type { CompilerOptions } from "../../compile/tsconfig.ts";
import type { TypeErrorPolicy } from "./policy.ts";

export interface NotebookTypes {
  policy?: TypeErrorPolicy;
  compilerOptions?: CompilerOptions;
}

const policy = v.picklist(["error", "warn", "off"]);
const schema = v.union([
  v.pipe(
    policy,
    v.transform((value) => ({ policy: value })),
  ),
  v.pipe(jsonObject, v.object({ policy: v.optional(policy), compilerOptions: v.optional(jsonObject) })),
]);

/**
 * A notebook's own word on its types, in its metadata: `"halftone": { "types": "warn" }`, or
 * `"halftone": { "types": { "policy": "warn", "compilerOptions": { "strict": false } } }`.
 */
export function notebookTypes(metadata: unknown): NotebookTypes {
  const value = (metadata as { halftone?: { types?: unknown } } | undefined)?.halftone?.types;
  // Deno does not check the types of its notebooks, and few of them have types to check.
  if (value === undefined) return isForDeno(metadata) ? { policy: "off" } : {};
  const parsed = v.safeParse(schema, value);
  if (!parsed.success)
    throw new UserError(
      `the notebook's metadata.halftone.types must be error, warn, off or { policy, compilerOptions }, got ${JSON.stringify(value)}`,
    );
  return parsed.output as NotebookTypes;
}

/** Whether a notebook's metadata names Deno's kernel. */
export function isForDeno(metadata: unknown): boolean {
  return (metadata as { kernelspec?: { name?: unknown } } | undefined)?.kernelspec?.name === "deno";
}
