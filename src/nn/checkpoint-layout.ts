// A parameter in this library's layout, and the tensors of a checkpoint that it consists of.
import { tf } from "../runtime/index.ts";
import type { AnyTensor } from "../tensor/types/tensor.ts";

/** A tensor of a checkpoint. */
export interface NamedShape {
  /** Its whole name, for instance `bert.encoder.layer.0.output.dense.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** Where a checkpoint has a parameter. */
export interface CheckpointLayout {
  /** The tensors that it consists of, side by side on its last axis. */
  readonly tensors: readonly NamedShape[];
  /** Whether the checkpoint has them as `[out, in]`. */
  readonly isTransposed: boolean;
}

/** How much of a parameter's last axis a tensor is. */
export const columnsOf = ({ shape }: NamedShape, { isTransposed }: CheckpointLayout): number =>
  shape[isTransposed ? 0 : shape.length - 1]!;

/** The parameter that tensors of a checkpoint are. */
export function joined(parts: readonly AnyTensor[], { isTransposed }: CheckpointLayout): AnyTensor {
  const turned = isTransposed ? parts.map((part) => tf.transpose(part) as AnyTensor) : parts;
  return turned.length > 1 ? (tf.concat([...turned], -1) as AnyTensor) : turned[0]!;
}

/** The tensors of a checkpoint that a parameter is; a single one with the same layout is the parameter itself. */
export function separated(x: AnyTensor, layout: CheckpointLayout): AnyTensor[] {
  const sizes = layout.tensors.map((tensor) => columnsOf(tensor, layout));
  const parts = sizes.length > 1 ? (tf.split(x, sizes, -1) as AnyTensor[]) : [x];
  return layout.isTransposed ? parts.map((part) => tf.transpose(part) as AnyTensor) : parts;
}
