// The session whose ops are being recorded or compared, and the place between tfjs and TensorFlow where it stands.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { NativeData } from "../../tfjs/backend.ts";
import type { Engine } from "../../tfjs/engine.ts";
import * as hooks from "../../tfjs/hooks.ts";
import { type DonatingBinding, executeDonating, takeDonation } from "../donation.ts";
import type { CapturedStep } from "./captured-step.ts";
import type { HeldState } from "./held-states.ts";
import { isPending } from "./pending.ts";
import { noteVariable, type ReplayNotes } from "./replay-notes.ts";
import { Session, type SessionOptions, type SessionRuntime } from "./session.ts";

let active: Session | undefined;
let inner: SessionRuntime | undefined;

/** Is a step being recorded or compared? Its results may not exist yet, so they should not be read. */
export const isCapturing = (): boolean => active !== undefined;

/** Runs `f` as if no step were recorded or compared: its ops are no part of the step, as those before it. */
export function uncaptured<T>(f: () => T): T {
  const session = active;
  active = undefined;
  try {
    return f();
  } finally {
    active = session;
  }
}

/** TensorFlow's functions, each of which goes to the session where there is one. */
export function capturableBinding(binding: Readonly<DonatingBinding>, engine: Engine): Partial<TFJSBinding> {
  const { createTensor, deleteTensor, tensorDataSync } = binding;
  inner = { binding, engine };
  hooks.created.subscribe("capture", (_, data) => active?.noteEntry(data as NativeData));
  hooks.assigning.subscribe("capture", (variable) => active?.noteAssignment(variable));
  hooks.assigned.subscribe("capture", (variable) => noteVariable(variable as Variable));
  hooks.read.subscribe("capture", (next) => (dataId) => {
    active?.noteRead();
    return next(dataId);
  });
  hooks.inputIds.subscribe("capture", (next) => (tensors) => {
    const ids = next(tensors);
    active?.noteInputs(tensors, ids);
    return ids;
  });
  return {
    executeOp(name, attrs, inputs, count) {
      const donation = takeDonation();
      if (active) return active.executeOp([name, attrs, inputs, count], donation);
      return executeDonating(binding, [name, attrs, inputs, count], donation);
    },
    createTensor: (shape, dtype, buffer) =>
      active ? active.createTensor(shape, dtype, buffer) : createTensor(shape, dtype, buffer),
    deleteTensor(id) {
      if (active) active.deleteTensor(id);
      // One of a step that failed was never computed.
      else if (!isPending(id)) deleteTensor(id);
    },
    tensorDataSync: (id) => (active ? active.tensorDataSync(id) : tensorDataSync(id)),
  };
}

/** Registers state that a step replaces before its results are computed: it is restored when they cannot be. */
export function holdUntilComputed(hold: () => HeldState): void {
  active?.hold(hold);
}

/** Where what a replay of the running step needs is noted, if it is to have one. */
export const replayNotes = (): ReplayNotes | undefined => active?.notes;

/** TensorFlow's functions, past every session. */
export const plainBinding = (): SessionRuntime["binding"] => inner!.binding;

/** Starts a session. Returns it with a function that ends its being active. */
export function startSession(captured: readonly CapturedStep[], options: SessionOptions): [Session, () => void] {
  const session = new Session(inner!, captured, options);
  active = session;
  return [
    session,
    () => {
      active = undefined;
    },
  ];
}
