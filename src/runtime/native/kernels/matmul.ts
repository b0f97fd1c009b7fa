import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { sizeOf } from "../../../base/shape.ts";
import { bfloat16Instructions } from "../../machine.ts";
import type { NativeOp, RunOp } from "../../tfjs/hooks.ts";
import { entryOf, nativeBackend } from "../backend.ts";
import { BFLOAT16, FLOAT, type Storage, typeOf } from "../storage-types.ts";
import { isKernelType, productKernel, replacedProduct } from "./kernel-name.ts";
import { hasKernels } from "./load.ts";

interface NamedOp {
  readonly name: string;
  readonly attrs: TFEOpAttr[];
}

/** Computes matrix products of floats, whoever asks for them, with the kernel of this folder. */
export function withOwnProducts(next: RunOp): RunOp {
  return (op) => {
    const own = op.name === productKernel ? asStored(op) : ownProduct(op, op.inputs);
    if (own) replacedProduct.name = op.name;
    return next(own ? { ...op, ...own } : op);
  };
}

/** The kernel's op for an op of TensorFlow; undefined for what the kernel does not compute, or not faster (`bench/products`). */
export function ownProduct(
  { name, attrs }: NamedOp,
  inputs: readonly Pick<TensorInfo, "shape">[],
): NamedOp | undefined {
  const isBatched = name === "BatchMatMulV2" || name === "BatchMatMul";
  if ((!isBatched && name !== "MatMul") || !hasKernels()) return undefined;
  const value = (key: string) => attrs.find((attr) => attr.name === key)?.value;
  const type = value("T");
  if (!isKernelType(type)) return undefined;
  const [transposesA, transposesB] = [
    Boolean(value("transpose_a") ?? value("adj_x")),
    Boolean(value("transpose_b") ?? value("adj_y")),
  ];
  const [a, b] = inputs.map(({ shape }) => shape) as [number[], number[]];
  const columns = b.at(transposesB ? -2 : -1)!;
  if (isForInstruction(type, a, b, a.at(transposesA ? -1 : -2)!, columns)) return undefined;
  if (type === FLOAT && a.length === 2 && b.length === 2 && sizeOf(a) * columns > MOST) return undefined;
  return { name: productKernel, attrs: attributesFor({ type, transposesA, transposesB }) };
}

/** Multiplications that take longer than a call of TensorFlow's product. */
const MANY = 2e6;
/** Multiplications beyond which TensorFlow's product of two matrices is faster, of bfloat16 where the CPU has instructions for it. */
const MOST = 3e8;
/** Rows for which it pays to convert the right operand. */
const FEW = 8;
let instructions: { readonly found: ReturnType<typeof bfloat16Instructions> } | undefined;

/**
 * Is a product of bfloat16 numbers faster by TensorFlow, which converts none where the CPU has an instruction for them? The kernel
 * has that of AVX-512 too, and adds the bias.
 */
function isForInstruction(
  type: number,
  a: readonly number[],
  b: readonly number[],
  rows: number,
  columns: number,
): boolean {
  if (type !== BFLOAT16) return false;
  const multiplications = sizeOf(a) * columns;
  if (multiplications <= MANY) return false;
  if (rows < FEW && b.length === 2) return true;
  instructions ??= { found: bfloat16Instructions() };
  return instructions.found === "amx" || (instructions.found === "avx512" && multiplications > MOST);
}

/** Does the kernel multiply two matrices of this storage? */
export const isForKernel = (storage: Storage, a: Tensor, b: Tensor): boolean =>
  !isForInstruction(typeOf[storage], a.shape, b.shape, a.shape[0]!, b.shape[1]!);

/**
 * `x @ weight + bias` of matrices, and a rectifier where `rectifies`. The bias `[columns]` is float32, whatever the storage of the
 * others is; autocast casts them as for a product.
 */
export const productWithBias = (x: Tensor, weight: Tensor, bias: Tensor, rectifies: boolean): Tensor =>
  nativeBackend().executeSingleOutput(productKernel, attributesFor({ type: FLOAT, rectifies, biases: 1 }), [
    x,
    weight,
    bias,
  ]);

/** A product with a bias as an op for operands of the storage that autocast gave them. */
function asStored({ name, attrs, inputs }: NativeOp): NamedOp {
  const rectifies = attrs.some(({ name, value }) => name === "rectifies" && value === true);
  return { name, attrs: attributesFor({ type: entryOf(inputs[0]!).dtype, rectifies, biases: 1 }) };
}

interface Attributes {
  type: number;
  transposesA?: boolean;
  transposesB?: boolean;
  rectifies?: boolean;
  biases?: number;
}

const lists = new Map<number, TFEOpAttr[]>();

function attributesFor({
  type,
  transposesA = false,
  transposesB = false,
  rectifies = false,
  biases = 0,
}: Attributes): TFEOpAttr[] {
  const key = 16 * type + 8 * biases + 4 * Number(rectifies) + 2 * Number(transposesA) + Number(transposesB);
  let list = lists.get(key);
  if (!list) {
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_INT } = nativeBackend().binding;
    list = [
      { name: "T", type: TF_ATTR_TYPE, value: type },
      { name: "transpose_a", type: TF_ATTR_BOOL, value: transposesA },
      { name: "transpose_b", type: TF_ATTR_BOOL, value: transposesB },
      { name: "rectifies", type: TF_ATTR_BOOL, value: rectifies },
      { name: "biases", type: TF_ATTR_INT, value: biases },
    ];
    lists.set(key, list);
  }
  return list;
}
