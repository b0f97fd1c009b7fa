import * as v from "valibot";
import { jsonObject, recordOf } from "../base/json-schema.ts";
import type { RuntimeInfo } from "../runtime/index.ts";
import type { InputFile } from "./identity.ts";
import type { Notebook } from "./nbformat.ts";
import type { Parameters } from "./parameters.ts";
import { recordedVariables } from "./variables.ts";

/** The conditions of a run, kept in the notebook's metadata under `halftone`; environment.md explains them. */
export interface RunRecord {
  version: string;
  /** A short hash over the program's own files. */
  build: string;
  /** What was run: where it lies, as seen from the executed copy, and a hash over what a person wrote in it. */
  source: { path?: string; sha256: string };
  /** The files that the notebook names, by their path from its folder. */
  inputs: Record<string, InputFile>;
  /** The packages that its cells import, with the versions that they got. */
  packages: Record<string, string>;
  node: string;
  platform: string;
  cpu: { model: string; cores: number };
  /** The machine's memory in bytes. */
  memory: number;
  /** What the tensor library computed on, when the notebook loaded it. */
  runtime?: Omit<RuntimeInfo, "library"> & { librarySha256?: string };
  /** The most native memory that tensors held at once, in bytes, when the library was loaded. */
  nativePeak?: number;
  git?: { commit: string; dirty: boolean };
  /** The values in force: the parameters cell's literal defaults, then what the run was given. */
  parameters: Parameters;
  seeds?: Parameters;
  /** The variables that were set and decide how TensorFlow and Halftone compute. */
  variables?: Record<string, string>;
  /** ISO 8601. */
  start: string;
  end?: string;
  status: RunStatus;
}

const STATUSES = ["running", "ok", "error", "interrupted"] as const;
export type RunStatus = (typeof STATUSES)[number];

/** A malformed field is left out, because anybody may have written the record. */
const field = <Schema extends v.GenericSchema>(schema: Schema) => v.fallback(v.optional(schema), undefined);

const text = v.string();
const time = v.pipe(
  text,
  v.check((value) => !Number.isNaN(Date.parse(value))),
);
const fields = v.object({
  version: field(text),
  build: field(text),
  source: field(v.object({ path: field(text), sha256: text })),
  inputs: field(recordOf(v.object({ bytes: v.number(), sha256: text }))),
  packages: field(recordOf(text)),
  node: field(text),
  platform: field(text),
  cpu: field(v.object({ model: text, cores: v.number() })),
  memory: field(v.number()),
  runtime: field(v.looseObject({ backend: text, threads: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
  nativePeak: field(v.number()),
  git: field(v.object({ commit: text, dirty: v.boolean() })),
  parameters: field(jsonObject),
  seeds: field(jsonObject),
  variables: field(v.pipe(jsonObject, v.transform(recordedVariables))),
  start: field(time),
  end: field(time),
  status: field(v.picklist(STATUSES)),
});
const schema = v.pipe(jsonObject, fields);

/** What a halftone run left in the notebook's metadata, checked; nothing when the notebook was run by something else. */
export function runRecord({ metadata }: Notebook): Partial<RunRecord> | undefined {
  const { success, output } = v.safeParse(schema, metadata.halftone);
  return success ? (output as Partial<RunRecord>) : undefined;
}
