// Where what a program gave is not the answer.
import type { Storage } from "../../../src/index.ts";
import { type Answer, numberOf, type Program } from "./program.ts";
import type { Outcome, Result } from "./run.ts";

export type Backend = "tensorflow" | "wasm";
export type Part = "value" | "gradient" | "refusal";

export interface Difference {
  part: Part;
  text: string;
  /** Of one number that is not the answer's. */
  numbers?: { got: number; right: number };
}

/** The last place of a number in [1, 2). */
const lastPlace: Record<Storage, number> = {
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
  float64: 2 ** -52,
};
/** The smallest step between two numbers. */
const smallest: Record<Storage, number> = { float32: 2 ** -149, float16: 2 ** -24, bfloat16: 2 ** -133, float64: 0 };

/**
 * How many units in the last place an answer may be off, in the scale of the number and of what the inputs make of it
 * (`c`, see bench/reference/fuzz/answers.py). A gradient takes about twice the operations of a value.
 */
const units: Record<Part, number> = { value: 4, gradient: 8, refusal: 0 };

/** The type in which a program's floats are computed. WebAssembly has no float64: there it is float32. */
export function storageOf({ asIs, st = "float32" }: Program, backend: Backend): Storage {
  if (asIs) return "float32";
  return st === "float64" && backend === "wasm" ? "float32" : st;
}

/** What a number of a scale may be off. */
export const tolerance = (part: Part, storage: Storage, scale: number): number =>
  units[part] * lastPlace[storage] * scale + smallest[storage];

/** Every number and every form that is not the answer's; nothing when all is right. */
export function differences(program: Program, outcome: Outcome, backend: Backend): Difference[] {
  if (program.refused) return refusalDifferences(program, outcome);
  if (outcome.error) return [{ part: outcome.during, text: `threw ${outcome.error.message.split("\n")[0]}` }];
  const storage = storageOf(program, backend);
  const { results, gradients } = outcome;
  if (results.length !== program.out!.length)
    return [{ part: "value", text: `${results.length} results, not ${program.out!.length}` }];
  const values = program.out!.flatMap((answer, i) => {
    if (answer === null) return [];
    const form = program.plain ? undefined : formDifference(results[i]!, answer, program.asIs ? undefined : storage);
    return form ? [{ part: "value" as const, text: form }] : numberDifferences(results[i]!, answer, storage, "value");
  });
  const slopes = gradients?.flatMap((result, i) => numberDifferences(result, program.g![i]!, storage, "gradient"));
  return [...values, ...(slopes ?? [])];
}

/** An error is right when it begins with the op and is none of TensorFlow's own. */
function refusalDifferences({ op }: Program, outcome: Outcome): Difference[] {
  if (!outcome.error) return [{ part: "refusal", text: "was not refused" }];
  const { message } = outcome.error;
  const ours = message.startsWith(op) && !/TF_Status|INVALID_ARGUMENT|\{\{/.test(message);
  return ours ? [] : [{ part: "refusal", text: `an error that does not say "${op}": ${message.split("\n")[0]}` }];
}

function formDifference({ kind, shape, storage }: Result, answer: Answer, wanted?: Storage): string | undefined {
  if (kind !== answer.t) return `elements of kind ${kind}, not ${answer.t}`;
  if (kind === "f" && wanted && storage !== wanted) return `stored as ${storage}, not ${wanted}`;
  return shape.join() === answer.s.join() ? undefined : `shape [${shape}], not [${answer.s}]`;
}

function numberDifferences(
  result: Result,
  answer: Pick<Answer, "v" | "c">,
  storage: Storage,
  part: Part,
): Difference[] {
  const { v, c } = answer;
  if (result.values.length !== v.length) return [{ part, text: `${result.values.length} numbers, not ${v.length}` }];
  return v.flatMap((written, i) => {
    const [got, right] = [result.values[i]!, numberOf(written)];
    if (Object.is(got, right)) return [];
    const exponent = typeof c === "object" ? c[i]! : c;
    if (exponent !== undefined && Math.abs(got - right) <= tolerance(part, storage, 2 ** exponent)) return [];
    const shown = (x: number) => (Object.is(x, -0) ? "-0" : `${x}`);
    return [{ part, text: `element ${i} is ${shown(got)}, not ${shown(right)}`, numbers: { got, right } }];
  });
}
