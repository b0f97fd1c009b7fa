import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { type Engine, engineOf, type TapeNode, type Tfjs } from "./engine.ts";
import * as hooks from "./hooks.ts";
import { patch } from "./patch.ts";
import { quickRunKernel, quickRunKernelFunc } from "./quick-kernels.ts";
import { extendReach, isReached, reach } from "./reach.ts";

/** Installs the hooks of every backend in tfjs' engine. */
export function patchEngine(tfjs: Tfjs): void {
  const engine = engineOf(tfjs);
  const patched = <Name extends keyof Engine & string>(
    name: Name,
    replace: (original: Engine[Name]) => Engine[Name],
  ): void => patch(engine, "Engine", name, replace);

  patched("runKernel", () => {
    hooks.kernel.setInner(quickRunKernel(engine));
    return (name, inputs, attrs) => hooks.kernel.call(name, inputs, attrs);
  });
  patched("runKernelFunc", (runKernelFunc) => {
    hooks.recorded.setInner(quickRunKernelFunc(tfjs, engine, runKernelFunc.bind(engine)));
    return (call) => hooks.recorded.call(call);
  });
  patched("gradients", (gradients) => {
    hooks.gradients.setInner(gradients.bind(engine));
    return (...args) => {
      extendReach(args[1] as Tensor[]);
      return hooks.gradients.call(...args);
    };
  });
  patched("addTapeNode", (addTapeNode) => (...args) => {
    const [, inputs, outputs, , saved] = args;
    // A copy that an op saves of its result is recorded within the op, before the result is known to depend on the inputs.
    if (engine.state.kernelDepth === 0 && !isReached(inputs)) {
      for (const tensor of saved) tensor.dispose();
      reach()?.passed?.(inputs);
      for (const each of hooks.untaped.subscribers) each();
      return;
    }
    extendReach(outputs);
    extendReach(saved);
    addTapeNode.apply(engine, args);
    const tape = engine.state.activeTape;
    const node = tape?.at(-1);
    if (!tape || !node) return;
    if (node.saved.length > 0) putBeforeItsUses(tape, node);
    for (const each of hooks.tape.subscribers) each(node);
  });
  patched("keep", (keep) => (tensor) => {
    for (const each of hooks.kept.subscribers) each(tensor);
    return keep.call(engine, tensor) as typeof tensor;
  });
  patched("track", (track) => (tensor) => {
    const { subscribers } = hooks.scope;
    if (subscribers.length > 0) for (const each of subscribers) each(tensor);
    return track.call(engine, tensor);
  });
  patched("incRef", (incRef) => (variable, backend) => {
    incRef.call(engine, variable, backend);
    for (const each of hooks.assigned.subscribers) each(variable);
  });
  for (const name of ["dataSync", "data", "bytes"] as const)
    patch(tfjs.Tensor.prototype, "Tensor", name, (original) => announced(original as never, "this") as never);
}

/** Calls the subscribers of `observed` with the tensor that a method reads or stores. */
function announced(method: Method, tensor: "this" | "argument"): Method {
  return function (...args) {
    const { subscribers } = hooks.observed;
    for (let i = 0; i < subscribers.length; i++) subscribers[i]!((tensor === "this" ? this : args[0]) as Tensor);
    return method.apply(this, args);
  };
}

/**
 * tfjs clones the tensors that an op saves, and records the clone's node on the tape before the op's node. A clone of the op's
 * result would come before the result, and a second derivative would lack the part that passes through the clone.
 */
function putBeforeItsUses(tape: TapeNode[], node: TapeNode): void {
  const last = tape.length - 1;
  for (let at = Math.max(0, last - node.saved.length); at < last; at++) {
    const { inputs } = tape[at]!;
    if (!Object.values(inputs).some((input) => input && node.outputs.some(({ id }) => id === input.id))) continue;
    tape.splice(at, 0, tape.pop()!);
    return;
  }
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Permanently wraps every method that changes tfjs' state in several steps and is not an op. */
export function aroundStateChanges(tfjs: Tfjs, wrap: (method: Method) => Method): void {
  const engine = engineOf(tfjs);
  const wrapped = <Owner extends object>(owner: Owner, ownerName: string, name: keyof Owner & string) =>
    patch(owner, ownerName, name, (original) => wrap(original as Method) as typeof original);
  for (const name of ["makeTensor", "disposeTensor", "readSync"] as const) wrapped(engine, "Engine", name);
  const stores = (method: Method) => wrap(announced(method, "argument"));
  patch(engine, "Engine", "makeVariable", (original) => stores(original as never) as never);
  patch(tfjs.Variable.prototype, "Variable", "assign", (original) => {
    const assign: Method = function (this: unknown, ...args) {
      for (const each of hooks.assigning.subscribers) each(this as Variable);
      return (original as unknown as Method).apply(this, args);
    };
    return stores(assign) as never;
  });
  // The engine subtracts a tensor from its counts before the tensor is marked as disposed. An interrupt between the two would
  // subtract it twice.
  wrapped(tfjs.Tensor.prototype, "Tensor", "dispose");
  wrapped(tfjs.Variable.prototype, "Variable", "dispose");
}
