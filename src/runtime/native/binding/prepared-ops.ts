import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { sameAttrs } from "../capture/trace.ts";
import type { BindingAddon } from "./addon.ts";

interface Prepared {
  attrs: readonly TFEOpAttr[];
  op: number;
}

const LIMIT = 1024;

/**
 * Ops with their attributes, given to C++ once. tfjs' kernels make the same attributes anew for every call, so they are found by
 * their values.
 */
export function preparedOps({ prepare, forget }: BindingAddon): (name: string, attrs: readonly TFEOpAttr[]) => number {
  const byName = new Map<string, Prepared[]>();
  let count = 0;
  return (name, attrs) => {
    const known = byName.get(name);
    if (known) for (let i = 0; i < known.length; i++) if (sameAttrs(known[i]!.attrs, attrs)) return known[i]!.op;
    if (count === LIMIT) {
      byName.clear();
      forget();
      count = 0;
    }
    count++;
    // A copy, because the caller may change its own.
    const copies = attrs.map((attr) => ({ ...attr, value: Array.isArray(attr.value) ? [...attr.value] : attr.value }));
    const made = { attrs: copies, op: prepare(name, attrs) };
    const others = byName.get(name);
    if (others) others.push(made);
    else byName.set(name, [made]);
    return made.op;
  };
}
