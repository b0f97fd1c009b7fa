// What a step asks of TensorFlow, op by op: what is recorded of it, and what later steps are compared with.
import { createHash } from "node:crypto";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { isNoNumber } from "../storage-types.ts";
import { decidesShape, refusal } from "./op-rules.ts";

export type Values = Float32Array | Int32Array | Uint8Array;

/** Shape and TensorFlow's type number of a tensor. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** Where an input comes from: `made` is the number of an output of the step, `upload` and `external` are numbers by first use. */
export type Source = { made: number } | { upload: number } | { external: number };

/** A source as one number, which is fast to compare. */
export type Ref = number;
export const madeRef = (index: number): Ref => 3 * index;
export const uploadRef = (index: number): Ref => 3 * index + 1;
export const externalRef = (index: number): Ref => 3 * index + 2;
export function sourceOf(ref: Ref): Source {
  const index = Math.floor(ref / 3);
  return ref % 3 === 0 ? { made: index } : ref % 3 === 1 ? { upload: index } : { external: index };
}

/** The number that a source of one kind has; undefined for another kind. */
export const madeOf = (ref: Ref): number | undefined => (ref % 3 === 0 ? ref / 3 : undefined);
export const uploadOf = (ref: Ref): number | undefined => (ref % 3 === 1 ? (ref - 1) / 3 : undefined);
export const externalOf = (ref: Ref): number | undefined => (ref % 3 === 2 ? (ref - 2) / 3 : undefined);

export interface TracedOp {
  readonly name: string;
  readonly attrs: readonly TFEOpAttr[];
  readonly inputs: readonly Ref[];
  /** The number of its first output among those of all ops. */
  readonly first: number;
  readonly outputs: readonly TensorType[];
  /** The layer in which it ran, such as `encoder/attention`. */
  readonly layer: string;
  /** The places of inputs that its results replace. */
  readonly donated?: readonly number[] | undefined;
}

/** Values that JavaScript gave to TensorFlow during the step. */
export interface Upload extends TensorType {
  readonly values: Values;
}

/** A tensor from before the step. */
export interface External extends TensorType {
  readonly id: number;
}

export interface Trace {
  readonly ops: TracedOp[];
  readonly uploads: Upload[];
  readonly externals: External[];
  /** The numbers of the outputs that were alive at the end. */
  alive: number[];
}

/** Values of at most so many elements may be constants of a captured step. */
const CONSTANT_SIZE = 8;

/** An analysed trace. */
export interface Analysis {
  /** Equal for two steps that one function can stand for. */
  signature: string;
  /** Equal for two steps that differ in nothing but shapes and the values that decide them. */
  form: string;
  /** By upload: whether its values decide shapes, so that a step with other values is another step. */
  structural: readonly boolean[];
  /** By external: whether the same holds of it. */
  pinned: readonly boolean[];
}

/** JSON would write infinities and NaN as null, and -0 as 0, and functions are shared by form. */
const exact = (_: string, value: unknown): unknown =>
  typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
    ? `${Object.is(value, -0) ? "-0" : value}`
    : value;

/** What a function of the trace must know, or why there can be none. */
export function analyse(trace: Trace): Analysis | { refused: string } {
  const structural = trace.uploads.map(() => false);
  const pinned = trace.externals.map(() => false);
  const types: TensorType[] = [];
  const form = createHash("sha256");
  const shapes: unknown[] = [];
  for (const op of trace.ops) {
    const refused = refusal({ ...op, count: op.outputs.length });
    if (refused) return { refused };
    if (op.outputs.some(({ dtype }) => isNoNumber(dtype)))
      return { refused: `${op.name} gives a result that is not of numbers` };
    for (const [i, ref] of op.inputs.entries()) {
      const source = sourceOf(ref);
      const { dtype } = typeOfSource(source, trace, types);
      if (!decidesShape(op.name, i, op.inputs.length, dtype)) continue;
      if ("made" in source) return { refused: `${op.name} has a shape that is computed by another op` };
      if ("upload" in source) structural[source.upload] = true;
      else pinned[source.external] = true;
    }
    types.push(...op.outputs);
    form.update(
      JSON.stringify([op.name, op.donated, op.attrs, op.inputs, op.outputs.map(({ dtype }) => dtype)], exact),
    );
    shapes.push(op.outputs.map(({ shape }) => shape));
  }
  form.update(JSON.stringify([trace.uploads.map(({ dtype }) => dtype), structural]));
  form.update(JSON.stringify([trace.externals.map(({ dtype }) => dtype), pinned]));
  for (const [i, { shape, values }] of trace.uploads.entries()) shapes.push(shape, structural[i] ? [...values] : null);
  for (const [i, { shape, id }] of trace.externals.entries()) shapes.push(shape, pinned[i] ? id : null);
  const signature = form.copy().update(JSON.stringify(shapes, exact)).digest("hex");
  return { signature, form: form.update(JSON.stringify(trace.alive)).digest("hex"), structural, pinned };
}

/** `made` are the types of the outputs of all ops so far. */
export function typeOfSource(source: Source, { uploads, externals }: Trace, made: readonly TensorType[]): TensorType {
  if ("made" in source) return made[source.made]!;
  return "upload" in source ? uploads[source.upload]! : externals[source.external]!;
}

/** Whether the values of an upload could be a constant. */
export const mayBeConstant = ({ values }: Upload): boolean => values.length <= CONSTANT_SIZE;

export function sameValues(a: Values, b: Values): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

export function sameList(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export const sameType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && sameList(a.shape, b.shape);

export function sameAttrs(a: readonly TFEOpAttr[], b: readonly TFEOpAttr[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i]!, b[i]!];
    if (one === other) continue;
    if (one.name !== other.name || one.type !== other.type) return false;
    if (Object.is(one.value, other.value)) continue;
    if (!Array.isArray(one.value) || !Array.isArray(other.value)) return false;
    if (!sameList(one.value as number[], other.value as number[])) return false;
  }
  return true;
}
