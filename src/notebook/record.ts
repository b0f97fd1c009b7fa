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
  /** A short hash over the built program's files. */
  build: string;
  /** The notebook that was run: its path relative to the executed copy, and a hash over what a person wrote in it. */
  source: { path?: string; sha256: string };
  /** The files that the notebook names, by their path relative to its folder. */
  inputs: Record<string, InputFile>;
  /** The packages that its cells import, and their versions. */
  packages: Record<string, string>;
  node: string;
  platform: string;
  cpu: { model: string; cores: number };
  /** The machine's memory in bytes. */
  memory: number;
  /** The backend of the tensor library, if the notebook loaded the library. */
  runtime?: Omit<RuntimeInfo, "library"> & { librarySha256?: string };
  /** The peak of the tensors' native memory in bytes, if the notebook loaded the library. */
  nativePeak?: number;
  git?: { commit: string; dirty: boolean };
  /** The effective values: the literal defaults of the parameters cell, overridden by the run's parameters. */
  parameters: Parameters;
  seeds?: Parameters;
  /** The environment variables that were set and affect how TensorFlow and Halftone compute. */
  variables?: Record<string, string>;
  /** ISO 8601. */
  start: string;
  end?: string;
  status: RunStatus;
}

const STATUSES = ["running", "ok", "error", "interrupted"] as const;
export type RunStatus = (typeof STATUSES)[number];

/** Drops a malformed field, because anybody may have written the record. */
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

/** The validated record of a halftone run in the notebook's metadata; undefined if another program ran the notebook. */
export function runRecord({ metadata }: Notebook): Partial<RunRecord> | undefined {
  const { success, output } = v.safeParse(schema, metadata.halftone);
  return success ? (output as Partial<RunRecord>) : undefined;
}
