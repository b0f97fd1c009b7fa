import { memoize } from "../base/memoize.ts";
import { broadcastShape } from "./broadcast.ts";
import { diagonalOf } from "./diagonal.ts";
import { type Problem, planEinsum, type Step } from "./einsum-plan.ts";
import { checkTensor, reduceOver, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { floatsBeside } from "./half.ts";
import { batchMatmul } from "./matmul.ts";
import { dimText, label, namesOf, shapeText, sizesText } from "./names.ts";
import type { EinsumPattern, EinsumShape } from "./types/einsum.ts";
import type { AnyTensor, Shapes, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * Sums products over named axes (`numpy.einsum`): `einsum("b t d, d h -> b t h", x, w)` of `[2, 5, 3]` and `[3, 4]` gives
 * `[2, 5, 4]`. Axis names are words where a term contains spaces, else single letters. "..." stands for axes that broadcast.
 * Without "->" the result has every axis that appears once, in alphabetical order. All operands are converted to float32, and
 * the result is float32.
 *
 * @throws ShapeError when the pattern is invalid or does not fit the shapes
 */
export function einsum<const P extends string, T extends readonly TensorOperand[]>(
  pattern: EinsumPattern<P, Shapes<T>>,
  ...operands: T
): Tensor<EinsumShape<P, Shapes<T>>, "float32">;
export function einsum(pattern: string, ...operands: AnyTensor[]): AnyTensor {
  for (const operand of operands) checkTensor("einsum", operand);
  const equation = parsed(pattern);
  const problem = bind(pattern, equation, operands);
  const steps = planOf(problem);
  const beside = operands.find(({ dtype }) => dtype === "float32") ?? 0;
  const result = scoped("einsum", () =>
    execute(
      steps,
      operands.map((x) => floatsBeside(x, beside)),
    ),
  );
  const names = outputNames(problem, operands);
  return names ? label(result, names) : result;
}

interface Equation {
  texts: readonly string[];
  terms: readonly (readonly string[])[];
  output: readonly string[];
}

const failIn =
  (pattern: string) =>
  (why: string): never => {
    throw new ShapeError(`einsum \`${pattern}\`: ${why}`);
  };

const parsed = memoize((pattern): Equation => {
  const fail = failIn(pattern);
  const sides = pattern.split("->").map((side) => side.trim());
  if (sides.length > 2) fail("pattern contains `->` more than once");
  const texts = sides[0]!.split(",").map((term) => term.trim());
  const spaced = [...texts, sides[1] ?? ""].some((term) => /\s/.test(term.trim()));
  const split = (term: string): string[] => {
    const axes = spaced ? term.split(/\s+/).filter((word) => word !== "") : (term.match(/\.\.\.|./gu) ?? []);
    for (const axis of axes)
      if (axis !== "..." && !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(axis)) fail(`\`${axis}\` is not a valid axis name`);
    if (axes.filter((axis) => axis === "...").length > 1) fail(`\`...\` appears twice in \`${term}\``);
    return axes;
  };
  const terms = texts.map(split);
  const all = terms.flat();
  if (sides[1] === undefined) {
    const once = all.filter((axis) => axis !== "..." && all.indexOf(axis) === all.lastIndexOf(axis)).sort();
    return { texts, terms, output: [...(all.includes("...") ? ["..."] : []), ...once] };
  }
  const output = split(sides[1]);
  const stray = output.find((axis) => axis !== "..." && !all.includes(axis));
  if (stray) fail(`output axis ${stray} is not in any operand`);
  const twice = output.find((axis, i) => output.indexOf(axis, i + 1) >= 0);
  if (twice) fail(`output axis ${twice} appears twice`);
  return { texts, terms, output };
});

/** Axis sizes from the operands; "..." becomes separate axes, counted from the end. */
function bind(pattern: string, { texts, terms, output }: Equation, operands: readonly AnyTensor[]): Problem {
  const fail = failIn(pattern);
  if (terms.length !== operands.length) fail(`expected ${terms.length} tensors, got ${operands.length}`);
  const sizes = new Map<string, number>();
  const names = new Map<string, string>();
  let dots: number[] = [];
  let dotNames: (string | undefined)[] = [];
  const axes = operands.map((x, n) => {
    const term = terms[n]!;
    const dot = term.indexOf("...");
    const middle = x.shape.length - term.length + 1;
    if (dot < 0 ? term.length !== x.shape.length : middle < 0)
      fail(`\`${texts[n]}\` does not fit the shape ${shapeText(x)}`);
    const own = namesOf(x);
    let at = 0;
    return term.flatMap((axis) => {
      if (axis === "...") {
        const shape = x.shape.slice(at, at + middle);
        const mine = shape.map((_, i) => own?.[at + i]);
        at += middle;
        const fits = shape.every((size, i) => {
          const j = dots.length - shape.length + i;
          const other = dots[j] ?? 1;
          const clash = mine[i] !== undefined && dotNames[j] !== undefined && mine[i] !== dotNames[j];
          return size === 1 || other === 1 || (size === other && !clash);
        });
        if (!fits) fail(`the axes of \`...\` are both ${sizesText(dots, dotNames)} and ${sizesText(shape, mine)}`);
        const wide = broadcastShape(dots, shape);
        dotNames = wide.map((_, i) => dotNames[dots.length - wide.length + i] ?? mine[shape.length - wide.length + i]);
        dots = wide;
        return shape.map((_, i) => `.${shape.length - i}`);
      }
      const size = x.shape[at]!;
      const name = own?.[at];
      at++;
      const known = sizes.get(axis);
      const old = names.get(axis);
      if (known !== undefined && (known !== size || (old !== undefined && name !== undefined && old !== name)))
        fail(`axis ${axis} is both ${dimText(known, old)} and ${dimText(size, name)}`);
      sizes.set(axis, size);
      if (name !== undefined) names.set(axis, name);
      return [axis];
    });
  });
  for (const [i, size] of dots.entries()) sizes.set(`.${dots.length - i}`, size);
  const result = output.flatMap((axis) => (axis === "..." ? dots.map((_, i) => `.${dots.length - i}`) : [axis]));
  return { operands: axes, output: result, sizes, shapes: operands.map((x) => x.shape) };
}

const planned = memoize((_key, problem: Problem) => planEinsum(problem));

function planOf(problem: Problem): Step[] {
  const key = `${problem.operands.map((axes) => axes.join(" ")).join(",")}>${problem.output.join(" ")}|${problem.shapes.join("|")}`;
  return planned(key, problem);
}

/** As in PyTorch, autocast applies to each step: matrix products run in half, sums in float32, elementwise products as given. */
function execute(steps: readonly Step[], operands: readonly AnyTensor[]): AnyTensor {
  const registers = [...operands];
  for (const step of steps) registers.push(perform(step, registers));
  const result = registers[registers.length - 1]!;
  return steps.length === 0 ? run("Identity", { x: result }) : result;
}

function perform(step: Step, registers: readonly AnyTensor[]): AnyTensor {
  const at = (register: number) => registers[register]!;
  switch (step.op) {
    case "sum":
      return reduceOver("Sum", at(step.x), step.axis);
    case "transpose":
      return run("Transpose", { x: at(step.x) }, { perm: step.perm });
    case "reshape":
      return run("Reshape", { x: at(step.x) }, { shape: step.shape });
    case "diagonal":
      return diagonalOf(at(step.x), step.size);
    case "multiply":
      return run("Multiply", { a: at(step.a), b: at(step.b) });
    case "matmul":
      return batchMatmul(at(step.a), at(step.b), step.transposeA, step.transposeB);
  }
}

function outputNames({ operands, output }: Problem, tensors: readonly AnyTensor[]): (string | undefined)[] | undefined {
  if (tensors.every((x) => namesOf(x) === undefined)) return undefined;
  const find = (axis: string) => {
    for (const [n, axes] of operands.entries()) {
      const name = namesOf(tensors[n]!)?.[axes.indexOf(axis)];
      if (name !== undefined) return name;
    }
    return undefined;
  };
  return output.map(find);
}
