import { z } from "zod";
import { UserError } from "../../../src/base/user-error.ts";
import type { CompilerOptions } from "../program/config.ts";
import type { TypeErrorPolicy } from "./policy.ts";

export interface NotebookTypes {
  policy?: TypeErrorPolicy;
  compilerOptions?: CompilerOptions;
}

const policy = z.enum(["error", "warn", "off"]);
const schema = z.object({
  halftone: z.object({
    types: z.union([
      policy.transform((value) => ({ policy: value })),
      z.object({ policy: policy.optional(), compilerOptions: z.record(z.string(), z.unknown()).optional() }),
    ]),
  }),
});

/**
 * A notebook's own word on its types, in its metadata: `"halftone": { "types": "warn" }`, or
 * `"halftone": { "types": { "policy": "warn", "compilerOptions": { "strict": false } } }`.
 */
export function notebookTypes(metadata: unknown): NotebookTypes {
  const given = (metadata as { halftone?: { types?: unknown } } | undefined)?.halftone?.types;
  if (given === undefined) return {};
  const parsed = schema.safeParse(metadata);
  if (!parsed.success)
    throw new UserError(
      `the notebook's metadata.halftone.types must be error, warn, off or { policy, compilerOptions }, got ${JSON.stringify(given)}`,
    );
  return parsed.data.halftone.types as NotebookTypes;
}
