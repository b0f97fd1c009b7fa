// tfjs' binding with quicker ways for what is called for every op. Tensors of numbers belong to the addon. tfjs' own binding has
// strings and resources, and what a saved model gives; their numbers begin at `FOREIGN`.
import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { sizeOf } from "../../../base/shape.ts";
import type { Metadata } from "../../tfjs/backend.ts";
import type { DonatingBinding } from "../donation.ts";
import { FLOAT, INT32, INT64, isNoNumber } from "../storage-types.ts";
import { type BindingAddon, refuseBinding } from "./addon.ts";
import { preparedOps } from "./prepared-ops.ts";

const none: readonly number[] = [];
const FOREIGN = 2 ** 29;
const UINT8 = 4;
const BOOL = 10;

/** Nothing is replaced where the addon does not know tfjs' context. */
export function fastBinding(binding: Readonly<TFJSBinding>, addon: BindingAddon): Partial<DonatingBinding> {
  const { shared } = addon;
  const prepared = preparedOps(addon);

  /** A tensor of the addon as one of tfjs' binding. */
  const lend = (id: number): number => {
    addon.give(id);
    return binding.executeOp("Identity", [], [], 1)[0]!.id;
  };
  /** A tensor of tfjs' binding as one of the addon. It stays in tfjs' binding too. */
  const borrow = (id: number): number => {
    addon.take();
    try {
      binding.executeOp("Identity", [], [id], 1);
    } catch {
      // The op fails on purpose.
    }
    return addon.takenTensor();
  };
  const adopt = ({ id, shape, dtype }: Metadata): Metadata => {
    if (isNoNumber(dtype)) return { id: FOREIGN + id, shape, dtype };
    const own = borrow(id);
    binding.deleteTensor(id);
    return { id: own, shape, dtype };
  };
  /** Runs something of tfjs' binding with these tensors. */
  const inTfjs = (ids: readonly number[], run: (ids: number[]) => Metadata[]): Metadata[] => {
    const lent: number[] = [];
    try {
      const all = ids.map((id) => {
        if (id >= FOREIGN) return id - FOREIGN;
        lent.push(lend(id));
        return lent.at(-1)!;
      });
      return run(all).map(adopt);
    } finally {
      for (const id of lent) binding.deleteTensor(id);
    }
  };
  const described = (count: number): Metadata[] => {
    const made: Metadata[] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      const shape: number[] = [];
      const end = at + 3 + shared[at + 2]!;
      for (let axis = at + 3; axis < end; axis++) shape.push(shared[axis]!);
      made.push({ id: shared[at]!, shape, dtype: shared[at + 1]! });
      at = end;
    }
    for (const output of made) if (isNoNumber(output.dtype)) toTfjs(output);
    return made;
  };
  const toTfjs = (output: Metadata): void => {
    const id = lend(output.id);
    addon.remove(output.id);
    output.id = FOREIGN + id;
  };

  const probe = binding.createTensor([], FLOAT, Float32Array.of(0));
  try {
    const id = borrow(probe);
    if (id < 0 || !addon.open(id)) {
      refuseBinding();
      return {};
    }
    addon.remove(id);
  } finally {
    binding.deleteTensor(probe);
  }

  return {
    canDonate: true,
    executeOp(name, attrs, inputs, count, donated = none) {
      const op = prepared(name, attrs);
      const length = inputs.length;
      for (let i = 0; i < length; i++) {
        const id = inputs[i]!;
        if (id >= FOREIGN) return inTfjs(inputs, (ids) => binding.executeOp(name, attrs, ids, count));
        shared[i] = id;
      }
      for (let i = 0; i < donated.length; i++) shared[length + i] = donated[i]!;
      addon.execute(op, length, count, donated.length);
      return described(count);
    },
    createTensor(shape, dtype, buffer) {
      if (!isNumbers(shape, dtype, buffer)) {
        const id = binding.createTensor(shape, dtype, buffer);
        return adopt({ id, shape, dtype }).id;
      }
      for (let i = 0; i < shape.length; i++) shared[i] = shape[i]!;
      return addon.create(dtype, shape.length, buffer);
    },
    deleteTensor(id) {
      if (id >= FOREIGN) binding.deleteTensor(id - FOREIGN);
      else addon.remove(id);
    },
    tensorDataSync: (id) => (id >= FOREIGN ? binding.tensorDataSync(id - FOREIGN) : addon.read(id)),
    runSavedModel: (model, inputs, inputNames, outputNames) =>
      inTfjs(inputs, (ids) => binding.runSavedModel(model, ids, inputNames, outputNames)),
    getNumOfTensors: () => binding.getNumOfTensors() + addon.size(),
  };
}

/** Whether the values are numbers that fit the shape. tfjs' binding refuses others by its errors, or they are strings. */
function isNumbers(shape: readonly number[], dtype: number, values: unknown): values is ArrayBufferView {
  if (values instanceof Float32Array) return dtype === FLOAT && values.length === sizeOf(shape);
  if (values instanceof Int32Array)
    return dtype === INT32 ? values.length === sizeOf(shape) : dtype === INT64 && values.length === 2 * sizeOf(shape);
  return values instanceof Uint8Array && (dtype === BOOL || dtype === UINT8) && values.length === sizeOf(shape);
}
