import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { formatBytes, parseBytes } from "../base/bytes.ts";
import { counted } from "../base/counted.ts";
import { addOpGuard, begin, collect, type GatedOp, liveBytes, memoryOf, pendingBytes } from "../runtime/index.ts";
import { type Holder, holders } from "./holders.ts";
import { resultBytes, values } from "./result-bytes.ts";

/** An op would exceed the memory budget. Tensors made before it are freed once they are unreachable. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  readonly op: string;
  /** Bytes that the op needs. */
  readonly asked: number;
  /** Bytes held before the op. */
  readonly held: number;
  /** The budget in bytes. */
  readonly budget: number;
  /** The tensors that hold memory, in groups, the largest first. */
  readonly holders: Holder[];

  constructor({ name, inputs }: GatedOp, asked: number, budget: number) {
    const held = liveBytes();
    const all = holders();
    // The first input of Fill is the shape of its result.
    const shown = name === "Fill" ? [values(inputs[0] as TensorInfo)] : inputs.map(({ shape }) => shape);
    const shapes = shown.map((shape) => `[${shape?.join(", ") ?? ""}]`).join(", ");
    const top = all.slice(0, 5).map(describe);
    const rest = all.slice(5).reduce((sum, { bytes }) => sum + bytes, 0);
    if (rest > 0) top.push(`  ${formatBytes(rest)} in other tensors`);
    super(
      `${name} of ${shapes || "no input"} needs ${formatBytes(asked)}, but ${formatBytes(held)} of the budget of ${formatBytes(budget)} are in use${top.length > 0 ? ` by\n${top.join("\n")}` : ""}`,
    );
    this.op = name;
    this.asked = asked;
    this.held = held;
    this.budget = budget;
    this.holders = all;
  }
}

function describe({ bytes, tensors, op, cause, site }: Holder): string {
  const what = `${counted(tensors, "tensor")} of ${op}`;
  return `  ${formatBytes(bytes)} in ${what}${cause && `, ${cause}`}${site ? `, made at ${site}` : ""}`;
}

/** The budgets in force: the process's, and those of the functions that `withMemoryBudget` runs. */
const scoped = new Set<{ bytes: number }>();
let general = Number.POSITIVE_INFINITY;
let leave: (() => void) | undefined;

/**
 * Limits the bytes of all native tensors together, to a text such as `"512 MB"` or `"1.5 GiB"`, or a number of bytes;
 * `Infinity`, the default, removes the limit. Returns the budget in force, in bytes; without an argument it changes nothing.
 *
 * An op that would exceed the budget, also after a garbage collection, throws OutOfMemoryError. So the error depends on the
 * reachable tensors and not on the machine. An op whose result has no predictable size runs first, and its result is freed.
 * Memory that an op uses only while it runs is not counted.
 *
 * @throws RangeError when the size cannot be parsed
 * @throws OutOfMemoryError from a later op that would exceed the budget
 */
export function memoryBudget(size?: number | string): number {
  if (size !== undefined) {
    general = size === Number.POSITIVE_INFINITY ? size : parseBytes(size, "a memory budget");
    watch();
  }
  return inForce();
}

/**
 * Runs a function, which may be async, with a budget of its own; outer budgets hold too. See `memoryBudget`.
 *
 * @throws RangeError when the size cannot be parsed
 * @throws OutOfMemoryError from an op that would exceed the budget
 */
export function withMemoryBudget<T>(size: number | string, fn: () => T): T {
  const budget = { bytes: parseBytes(size, "a memory budget") };
  const open = begin(
    () => {
      scoped.add(budget);
      watch();
    },
    () => {
      scoped.delete(budget);
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
