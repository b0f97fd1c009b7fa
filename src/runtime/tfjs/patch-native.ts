import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { DonatingBinding } from "../native/donation.ts";
import type { NativeBackend } from "./backend.ts";
import * as hooks from "./hooks.ts";
import { patch } from "./patch.ts";
import { patchStorage } from "./patch-storage.ts";

/** Installs the hooks in the backend of tfjs-node-gpu. */
export function patchNative(backend: NativeBackend): void {
  const patched = <Name extends keyof NativeBackend & string>(
    name: Name,
    replace: (original: NativeBackend[Name]) => NativeBackend[Name],
  ): void => patch(backend, "NodeJSKernelBackend", name, replace);

  const single = backend.executeSingleOutput.bind(backend);
  const multiple = backend.executeMultipleOutputs.bind(backend);
  hooks.op.setInner(({ name, attrs, inputs, outputs }) =>
    outputs === 1 ? [single(name, attrs, inputs)] : multiple(name, attrs, inputs, outputs),
  );
  patched("executeSingleOutput", () => (name, attrs, inputs) => {
    return hooks.op.call({ name, attrs, inputs, outputs: 1 })[0]!;
  });
  patched("executeMultipleOutputs", () => (name, attrs, inputs, outputs) => {
    return hooks.op.call({ name, attrs, inputs, outputs });
  });
  patched("getInputTensorIds", (getInputTensorIds) => {
    hooks.inputIds.setInner(getInputTensorIds.bind(backend));
    return (inputs) => hooks.inputIds.call(inputs);
  });
  patched("createOutputTensor", (createOutputTensor) => {
    hooks.output.setInner(createOutputTensor.bind(backend));
    return (metadata) => hooks.output.call(metadata);
  });
  patched("readSync", (readSync) => {
    hooks.read.setInner(readSync.bind(backend));
    return (dataId) => hooks.read.call(dataId);
  });
  patched("move", (move) => {
    hooks.write.setInner(move.bind(backend));
    return (dataId, values, shape, dtype, refCount) => hooks.write.call(dataId, values, shape, dtype, refCount);
  });
  patchStorage(backend.tensorMap);
}

/** Replaces functions of TensorFlow's binding. The addon's own properties are read-only, so it is replaced by a copy. */
export function patchBinding(
  backend: NativeBackend,
  replace: (binding: Readonly<DonatingBinding>) => Partial<DonatingBinding>,
): void {
  const binding = backend.binding as DonatingBinding;
  const names = Object.getOwnPropertyNames(binding) as (keyof DonatingBinding)[];
  const copy = Object.fromEntries(names.map((name) => [name, binding[name]]));
  backend.binding = Object.assign(copy, replace(binding)) as unknown as TFJSBinding;
}
