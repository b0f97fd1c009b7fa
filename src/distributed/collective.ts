import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { integers, nativeStorageOf } from "../runtime/index.ts";
import type { AttributeValue } from "../runtime/native/op.ts";

/** One op of TensorFlow's collective runtime, for which all workers meet. */
export interface Collective {
  op: "CollectiveReduceV2" | "CollectiveBcastSendV2" | "CollectiveBcastRecvV2";
  /** What all workers must agree on, for instance `allReduce sum float32 [3]`. */
  label: string;
  attributes: Record<string, AttributeValue>;
  /** Before and after the inputs that name the exchange. */
  inputs: readonly Tensor[];
  last?: readonly Tensor[];
}

/** How `allReduce` combines the workers' values. */
export type ReduceOp = "sum" | "product" | "min" | "max";

const mergeOps: Record<ReduceOp, string> = { sum: "Add", product: "Mul", min: "Min", max: "Max" };

export const reduceOps = Object.keys(mergeOps) as ReduceOp[];

/** The elementwise sum, product, smallest or largest of all workers' tensors. */
export const reductionOf = (x: Tensor, op: ReduceOp): Collective => ({
  op: "CollectiveReduceV2",
  label: `allReduce ${op} ${typeText(x)} [${x.shape.join(", ")}]`,
  attributes: { T: typeAttribute(x), merge_op: { text: mergeOps[op] }, final_op: { text: "Id" }, Nordering_token: 0 },
  inputs: [x],
});

export const sumOf = (x: Tensor): Collective => reductionOf(x, "sum");

/** The values of all workers, each of which gives zeros in the place of the others. */
export const gatherOf = (x: Tensor): Collective => ({ ...sumOf(x), label: `gather [${x.size}]` });

/** The tensor of the worker `from`; the others give one of the same shape and type, whose values do not matter. */
export function broadcastOf(x: Tensor, from: number, isOwn: boolean): Collective {
  const label = `broadcast from ${from} ${typeText(x)} [${x.shape.join(", ")}]`;
  const T = typeAttribute(x);
  return isOwn
    ? { op: "CollectiveBcastSendV2", label, attributes: { T }, inputs: [x] }
    : {
        op: "CollectiveBcastRecvV2",
        label,
        attributes: { T, Tshape: { type: "int32" } },
        inputs: [],
        last: [integers(...x.shape)],
      };
}

const typeAttribute = (x: Tensor): AttributeValue =>
  x.dtype === "float32" ? { storage: nativeStorageOf(x) ?? "float32" } : { type: x.dtype };

const typeText = (x: Tensor): string => (x.dtype === "float32" ? (nativeStorageOf(x) ?? "float32") : x.dtype);
