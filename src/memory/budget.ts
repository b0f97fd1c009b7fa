import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { formatBytes, parseBytes } from "../base/bytes.ts";
import { addOpGuard, begin, collect, type GatedOp, liveBytes, memoryOf, pendingBytes } from "../runtime/index.ts";
import { type Holder, holders } from "./holders.ts";
import { resultBytes, values } from "./result-bytes.ts";

/** An op would have taken more native memory than the budget allows. What its step had made is freed once unreachable. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  readonly op: string;
  /** Bytes that the op asked for. */
  readonly asked: number;
  /** Bytes that were held before it. */
  readonly held: number;
  readonly budget: number;
  /** What held them, the largest first. */
  readonly holders: Holder[];

  constructor({ name, inputs }: GatedOp, asked: number, budget: number) {
    const held = liveBytes();
    const all = holders();
    // Fill's first input is the shape of its result.
    const shown = name === "Fill" ? [values(inputs[0] as TensorInfo)] : inputs.map(({ shape }) => shape);
    const shapes = shown.map((shape) => `[${shape?.join(", ") ?? ""}]`).join(", ");
    const top = all.slice(0, 5).map(describe);
    const rest = all.slice(5).reduce((sum, { bytes }) => sum + bytes, 0);
    if (rest > 0) top.push(`  ${formatBytes(rest)} in others`);
    super(
      `${name} of ${shapes || "nothing"} asked for ${formatBytes(asked)}; of the budget of ${formatBytes(budget)}, ${formatBytes(held)} are held${top.length > 0 ? ` by\n${top.join("\n")}` : ""}`,
    );
    this.op = name;
    this.asked = asked;
    this.held = held;
    this.budget = budget;
    this.holders = all;
  }
}

function describe({ bytes, tensors, op, cause, site }: Holder): string {
  const what = `${tensors} ${tensors === 1 ? "tensor" : "tensors"} of ${op}`;
  return `  ${formatBytes(bytes)} in ${what}${cause && `, ${cause}`}${site ? `, made at ${site}` : ""}`;
}

/** The budgets in force: the process's own, and those of the functions that run under one. */
const scoped = new Set<{ bytes: number }>();
let general = Number.POSITIVE_INFINITY;
let leave: (() => void) | undefined;

/**
 * Sets how many bytes all native tensors together may take, such as `"512 MB"`, `"1.5 GiB"` or a number; `Infinity`
 * lifts the budget. Returns the budget in force; without an argument it only tells it.
 *
 * An op that would exceed it throws an OutOfMemoryError, after all garbage was collected: whether it does depends on
 * what the program can reach, and so not on the machine. Where an op's result has a size that nobody can know before, it
 * runs, is looked at and freed. What an op needs while it runs is not counted.
 * @throws RangeError when the size cannot be read
 */
export function memoryBudget(size?: number | string): number {
  if (size !== undefined) {
    general = size === Number.POSITIVE_INFINITY ? size : parseBytes(size, "a memory budget");
    watch();
  }
  return inForce();
}

/** Runs a function, which may be async, under a budget of its own; one around it goes on to hold. See `memoryBudget`. */
export function withMemoryBudget<T>(size: number | string, fn: () => T): T {
  const own = { bytes: parseBytes(size, "a memory budget") };
  const open = begin(
    () => {
      scoped.add(own);
      watch();
    },
    () => {
      scoped.delete(own);
      watch();
    },
  );
  let result: T;
  try {
    result = fn();
  } catch (error) {
    open.end();
    throw error;
  }
  if (result instanceof Promise) {
    open.awaits();
    return result.finally(open.end) as T;
  }
  open.end();
  return result;
}

function inForce(): number {
  let least = general;
  for (const { bytes } of scoped) least = Math.min(least, bytes);
  return least;
}

function watch(): void {
  leave?.();
  const budget = inForce();
  leave = budget === Number.POSITIVE_INFINITY ? undefined : addOpGuard(guard(budget));
}

const guard = (budget: number) => ({
  before(op: GatedOp): void {
    const asked = pendingBytes(op.inputs as TensorInfo[]) + (resultBytes(op) ?? 0);
    if (liveBytes() + asked <= budget) return;
    collect();
    if (liveBytes() + asked > budget) throw new OutOfMemoryError(op, asked, budget);
  },
  after(op: GatedOp, made: readonly Tensor[]): void {
    if (liveBytes() <= budget) return;
    collect();
    if (liveBytes() <= budget) return;
    const asked = made.reduce((sum, tensor) => sum + (memoryOf(tensor)?.bytes ?? 0), 0);
    for (const tensor of made) tensor.dispose();
    throw new OutOfMemoryError(op, asked, budget);
  },
});
