import { type Allocation, liveAllocations, settleCauses } from "../runtime/index.ts";

/** A group of tensors with the same cause, op and line, and the bytes that they hold. */
export interface Holder {
  /** What the tensors are used for, for instance "parameters"; empty where it is not known. */
  cause: string;
  /** The op that made them. */
  op: string;
  /** The line that made them, if allocations were tracked then. */
  site?: string;
  tensors: number;
  bytes: number;
}

/** The groups of tensors that hold native memory, the largest first. */
export function holders(): Holder[] {
  settleCauses();
  const groups = new Map<string, Holder>();
  for (const { bytes, op, cause = "", site } of liveAllocations()) {
    const key = [cause, op.name, site].join("\n");
    let group = groups.get(key);
    if (!group) {
      group = { cause, op: op.name, ...(site !== undefined && { site }), tensors: 0, bytes: 0 };
      groups.set(key, group);
    }
    group.tensors++;
    group.bytes += bytes;
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes);
}

/** TensorFlow's type names by number (tensorflow/core/framework/types.proto). */
const TYPES: Record<number, string> = {
  ...{ 1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64" },
  ...{ 9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16", 20: "resource" },
  ...{ 21: "variant", 22: "uint32", 23: "uint64", 24: "float8_e5m2", 25: "float8_e4m3fn" },
};

/** The name of the type of an allocation's elements. */
export const storageType = ({ type }: Allocation): string =>
  typeof type === "string" ? type : (TYPES[type] ?? `type ${type}`);
