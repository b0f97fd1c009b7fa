// The table of docs/numbers.md: the accepted differences from PyTorch and NumPy, each with its reason.
import { readFileSync } from "node:fs";
import { type Backend, type Difference, type Part, storageOf, tolerance } from "./compare.ts";
import { numberOf, type Program, tensorsIn } from "./program.ts";

/** One row. Every column but the reason says where it holds; "any" is everywhere. */
export interface Row {
  ops: string[];
  backend: Backend | "any";
  storage: string;
  part: Part | "any";
  /** What some input must be. */
  input: keyof typeof inputs;
  difference: string;
  reason: string;
}

/** 64 times the smallest normal number: what an op makes on the way may be below it where its result is not. */
const tiny = { float32: 2 ** -120, bfloat16: 2 ** -120, float16: 0, float64: 0 };

const inputs = {
  any: () => true,
  infinite: (x: number) => Math.abs(x) === Number.POSITIVE_INFINITY,
  NaN: (x: number) => Number.isNaN(x),
  zero: (x: number) => x === 0,
  subnormal: (x: number) => x !== 0 && Math.abs(x) < 2 ** -126,
  huge: (x: number, storage: string) =>
    Math.abs(x) > (storage === "float16" ? 2 ** 14 : 2 ** 100) && Number.isFinite(x),
} satisfies Record<string, (x: number, storage: string) => boolean>;

/** The kinds of difference between two numbers; "within n": by a few units in the last place of n. */
function isDifference(row: Row, { part, numbers }: Difference, program: Program, backend: Backend): boolean {
  if (row.difference === "any") return true;
  if (!numbers) return false;
  const { got, right } = numbers;
  const storage = storageOf(program, backend);
  const within = /^within (\d+)$/.exec(row.difference);
  if (within) return Math.abs(got - right) <= tolerance(part, storage, Number(within[1]));
  if (row.difference === "NaN or infinity") return !Number.isFinite(got) || !Number.isFinite(right);
  if (row.difference === "sign of zero") return got === 0 && right === 0;
  if (row.difference === "tiny") return Math.abs(got - right) < tiny[storage];
  throw new Error(`docs/numbers.md: "${row.difference}" is no kind of difference`);
}

/** Does a row allow this difference of a program? */
export function allows(row: Row, difference: Difference, program: Program, backend: Backend): boolean {
  const fits = (wanted: string, found: string) => wanted === "any" || wanted.split(", ").includes(found);
  return (
    (row.ops[0] === "any" || row.ops.includes(program.op)) &&
    fits(row.backend, backend) &&
    fits(row.storage, program.st ?? "float32") &&
    fits(row.part, difference.part) &&
    (row.input === "any" ||
      tensorsIn(program.args).some((x) =>
        x.v.some((value) => inputs[row.input](numberOf(value), program.st ?? "float32")),
      )) &&
    isDifference(row, difference, program, backend)
  );
}

/** The rows of the table that follows the heading "Accepted differences". */
export function readTable(file: string | URL): Row[] {
  const [, section = ""] = readFileSync(file, "utf8").split(/^## Accepted differences$/m);
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => {
    const cells = line.split("|").slice(1, -1);
    const [ops, backend, storage, part, input, difference, reason] = cells.map((cell) =>
      cell.replaceAll("`", "").trim(),
    );
    if (cells.length !== 7 || !reason || !(input! in inputs))
      throw new Error(`docs/numbers.md: cannot read the row ${line}`);
    return { ops: ops!.split(", "), backend, storage, part, input, difference, reason } as Row;
  });
}
