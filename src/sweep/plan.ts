import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { writeWhole } from "../base/files.ts";
import { parseNumbers, stringifyNumbers } from "../base/json-numbers.ts";
import { jsonObject, recordOf } from "../base/json-schema.ts";
import { memoize } from "../base/memoize.ts";
import { UserError } from "../base/user-error.ts";
import { filesNamedBy, halftoneVersion, inputFiles, sourceHash, textsIn } from "../notebook/identity.ts";
import { requireTypeScript } from "../notebook/language.ts";
import type { Notebook } from "../notebook/nbformat.ts";
import { sourceOf } from "../notebook/parameter-values.ts";
import { injectParameters, type Parameters } from "../notebook/parameters.ts";
import { readTextFile } from "../notebook/read-text.ts";

/** One run of the notebook. */
export interface Point {
  /** A hash of the notebook, the files that it or these parameters name, these parameters and the build of Halftone: 12 hexadecimal digits. */
  id: string;
  /** The parameters that this point gives; the notebook's defaults are not in it. */
  parameters: Parameters;
}

/** What a sweep runs. It is stored as `plan.json`; the same command makes the same plan. */
export interface Plan {
  format: 1;
  /** The notebook's file name, for messages. */
  notebook: string;
  /** The notebook's folder, in which its cells run, as seen from the folder of the plan. */
  folder: string;
  /** What the ids are hashes of, beside the parameters. */
  identity: Identity;
  /** In a fixed order: that of the parameters on the command line, the last one changes first. */
  points: Point[];
}

export interface Identity {
  /** Of `sourceHash`. */
  source: string;
  /** The sha256 of each file that the notebook or a parameter of a point names. */
  inputs: Record<string, string>;
  version: string;
  build: string;
}

/**
 * The plan for these parameters. Points that would be equal are one.
 * @throws UserError if the notebook lacks a parameter, is not in TypeScript, or there is no point
 */
export function makePlan(
  notebook: Notebook,
  { input, output, points }: { input: string; output: string; points: readonly Parameters[] },
): Plan {
  if (points.length === 0) throw new UserError("The sweep is empty: its parameters give no point.");
  requireTypeScript(notebook, input);
  const byNames = new Map(points.map((each) => [JSON.stringify(Object.keys(each)), each]));
  for (const parameters of byNames.values()) injectParameters(structuredClone(notebook), parameters, input);
  const folder = path.dirname(path.resolve(input));
  const identify = identityIn(notebook, folder);
  const unique = new Map(points.map((parameters) => [idOf(identify(parameters), parameters), parameters]));
  return {
    format: 1,
    notebook: path.basename(input),
    folder: path.relative(path.resolve(output), folder).replaceAll("\\", "/") || ".",
    identity: identify(points),
    points: [...unique].map(([id, parameters]) => ({ id, parameters })),
  };
}

/**
 * Checks that a machine runs what was planned.
 * @throws UserError that names the difference
 */
export function requireIdentity(plan: Plan, notebook: Notebook, folder: string): void {
  const parameters = plan.points.map((point) => point.parameters);
  const [planned, here] = [plan.identity, identityIn(notebook, folder)(parameters)];
  if (planned.version !== here.version || planned.build !== here.build)
    throw new UserError(
      `The sweep was planned with halftone ${planned.version} (build ${planned.build}), but this machine has ${here.version} (build ${here.build}): install the same build.`,
      1,
    );
  if (planned.source !== here.source)
    throw new UserError(`${plan.notebook} has changed since the sweep was planned: run the sweep's command again.`, 1);
  for (const name of Object.keys({ ...planned.inputs, ...here.inputs })) {
    if (planned.inputs[name] === here.inputs[name]) continue;
    const file = `The file ${name}, which ${plan.notebook} names,`;
    throw new UserError(
      here.inputs[name] === undefined
        ? `${file} is not on this machine.`
        : `${file} has changed since the sweep was planned. If the notebook writes it, build its name from the parameters, so that each point has its own file.`,
      1,
    );
  }
}

/** A text that changes when a file that the plan names may have changed, without reading the files. */
export function inputStamp({ identity }: Plan, folder: string): string {
  const stats = Object.keys(identity.inputs).map((name) =>
    statSync(path.join(folder, name), { throwIfNoEntry: false }),
  );
  return JSON.stringify(stats.map((found) => found && [found.mtimeMs, found.size, found.ino]));
}

export function writePlan(file: string, plan: Plan): void {
  writeWhole(file, `${stringifyNumbers(plan, 1)}\n`);
}

/** @throws UserError if there is no plan, or another program or version wrote it */
export function readPlan(file: string): Plan {
  const text = readTextFile(file, { wanted: "a sweep's plan" });
  let value: unknown;
  try {
    value = parseNumbers(text);
  } catch {
    throw new UserError(`${file} is not the plan of a sweep: it is not JSON.`);
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw new UserError(`${file} is not the plan of a sweep: ${v.summarize(parsed.issues)}`);
  return parsed.output;
}

const text = v.string();
const schema = v.object({
  format: v.literal(1),
  notebook: text,
  folder: text,
  identity: v.object({ source: text, inputs: recordOf(text), version: text, build: text }),
  points: v.array(v.object({ id: v.pipe(text, v.regex(/^[0-9a-f]{12}$/)), parameters: jsonObject })),
});

/** The identity of a notebook that runs with the parameters of one point or of several. */
function identityIn(notebook: Notebook, folder: string): (parameters: unknown) => Identity {
  const source = sourceHash(notebook);
  const common = inputFiles(notebook, folder);
  const named = memoize((text: string) => filesNamedBy([text], folder));
  const { version, build } = halftoneVersion();
  return (parameters) => {
    const files = { ...common };
    for (const text of new Set(textsIn(parameters))) Object.assign(files, named(text));
    const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
    return { source, inputs: Object.fromEntries(sorted.map(([name, { sha256 }]) => [name, sha256])), version, build };
  };
}

/** A text that two points share only if their parameters are equal. */
export function parametersKey(parameters: Parameters): string {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return sourceOf(Object.fromEntries(sorted));
}

function idOf(identity: Identity, parameters: Parameters): string {
  const content = JSON.stringify([identity, parametersKey(parameters)]);
  return createHash("sha256").update(content).digest("hex").slice(0, 12);
}
