// A tensor as text: its type, its statistics and its corners.
import { formatBytes } from "../../base/bytes.ts";
import { shapeText } from "../names.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { deviceOf, part, type Summary, storageOf, summarize } from "./summary.ts";

/** Elements shown at each end of an axis that is longer than twice that. */
const edge = 4;
/** A tensor of no more elements is shown whole where its rows are short. */
const whole = 200;

/** Four digits that matter. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return Object.is(value, -0) ? "-0" : String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

const widths: Record<string, number> = { float16: 2, bfloat16: 2, float64: 8, int64: 8, bool: 1 };

/** `float32 [batch=32, 10], 1.25 KiB on cpu`. */
export function headline(x: AnyTensor): string {
  const storage = storageOf(x);
  const stored = storage === x.dtype ? "" : ` stored as ${storage}`;
  return `${x.dtype}${stored} ${shapeText(x)}, ${formatBytes(x.size * (widths[storage] ?? 4))} on ${deviceOf(x)}`;
}

/** `-3.2 to 2.9, mean 0.01, std 1.0, 2 NaN`. */
export function statistics(x: AnyTensor, { low, high, mean, std, nan, infinite, seen }: Summary): string {
  const parts = Number.isNaN(low)
    ? []
    : [`${numberText(low)} to ${numberText(high)}`, `mean ${numberText(mean)}`, `std ${numberText(std)}`];
  if (nan > 0) parts.push(`${nan} NaN`);
  if (infinite > 0) parts.push(`${infinite} infinite`);
  if (seen < x.size) parts.push(`from ${seen} of ${x.size} elements`);
  return parts.join(", ");
}

/** The places of an axis that are shown; null where some are left out. */
export function shown(length: number, all: boolean): (number | null)[] {
  if (all || length <= 2 * edge + 1) return [...Array(length).keys()];
  return [...Array(edge).keys(), null, ...Array.from({ length: edge }, (_, i) => length - edge + i)];
}

export const isSmall = (x: AnyTensor): boolean => x.size <= whole && (x.shape.at(-1) ?? 0) <= 16;

export const elementText = (x: AnyTensor, value: number): string =>
  x.dtype === "bool" ? (value ? "true" : "false") : numberText(value);

/** The text of every element that is shown, by its flat place; each last axis is read by itself. */
export function readShown(x: AnyTensor): Map<number, string> {
  const texts = new Map<number, string>();
  if (x.size === 0) return texts;
  const row = x.shape.at(-1) ?? 1;
  const walk = (axis: number, place: number): void => {
    if (axis >= x.rank - 1) {
      const begin = place * row;
      const values = row > 4096 ? undefined : part(x, begin, row);
      for (const i of x.rank === 0 ? [0] : shown(row, isSmall(x)))
        if (i !== null) texts.set(begin + i, elementText(x, values ? values[i]! : part(x, begin + i, 1)[0]!));
      return;
    }
    for (const i of shown(x.shape[axis]!, isSmall(x))) if (i !== null) walk(axis + 1, place * x.shape[axis]! + i);
  };
  walk(0, 0);
  return texts;
}

function nested(x: AnyTensor): string {
  const texts = readShown(x);
  if (x.rank === 0) return texts.get(0)!;
  if (x.size === 0) return "[]";
  const width = Math.max(...[...texts.values()].map((text) => text.length));
  const block = (axis: number, place: number, indent: string): string => {
    const last = axis === x.rank - 1;
    const items = shown(x.shape[axis]!, isSmall(x)).map((i) => {
      if (i === null) return "...";
      const at = place * x.shape[axis]! + i;
      return last ? texts.get(at)!.padStart(width) : block(axis + 1, at, `${indent} `);
    });
    const gap = last ? ", " : `,${"\n".repeat(Math.max(1, x.rank - 1 - axis))}${indent} `;
    return `[${items.join(gap)}]`;
  };
  return block(0, 0, "");
}

/** What a console shows of a tensor. */
export function textOf(x: AnyTensor, summary?: Summary): string {
  if (x.isDisposed) return `Tensor ${x.dtype} ${shapeText(x)}, disposed`;
  const head = `Tensor ${headline(x)}`;
  if ((x.dtype as string) === "string" || (x.dtype as string) === "complex64") return head;
  if (x.size === 0) return head;
  const lines = x.size > 1 ? [head, statistics(x, summary ?? summarize(x)), nested(x)] : [head, nested(x)];
  return lines.filter(Boolean).join("\n");
}
