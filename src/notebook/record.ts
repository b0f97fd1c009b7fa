import { z } from "zod";
import type { RuntimeInfo } from "../runtime/index.ts";
import type { InputFile } from "./identity.ts";
import type { Notebook } from "./nbformat.ts";
import type { Parameters } from "./parameters.ts";
import { recordedVariables } from "./variables.ts";

/** What a run stood on, kept in the notebook's metadata under `halftone`; environment.md explains it. */
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

/** A field that is not what it should be is left out: the record may have been written by anybody. */
const field = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

const text = z.string();
const time = text.refine((value) => !Number.isNaN(Date.parse(value)));
const values = z.record(text, z.unknown());
const schema = z.object({
  version: field(text),
  build: field(text),
  source: field(z.object({ path: field(text), sha256: text })),
  inputs: field(z.record(text, z.object({ bytes: z.number(), sha256: text }))),
  packages: field(z.record(text, text)),
  node: field(text),
  platform: field(text),
  cpu: field(z.object({ model: text, cores: z.number() })),
  memory: field(z.number()),
  runtime: field(z.looseObject({ backend: text, threads: z.number().int().positive() })),
  nativePeak: field(z.number()),
  git: field(z.object({ commit: text, dirty: z.boolean() })),
  parameters: field(values),
  seeds: field(values),
  variables: field(values.transform(recordedVariables)),
  start: field(time),
  end: field(time),
  status: field(z.enum(STATUSES)),
});

/** What a halftone run left in the notebook's metadata, checked; nothing when the notebook was run by something else. */
export function runRecord({ metadata }: Notebook): Partial<RunRecord> | undefined {
  const { success, data } = schema.safeParse(metadata.halftone);
  return success ? (data as Partial<RunRecord>) : undefined;
}
