import type { Variable } from "@tensorflow/tfjs-node-gpu";
import type { Engine } from "../../tfjs/engine.ts";
import { nativeBackend } from "../backend.ts";

/** State from before a step. */
export interface HeldState {
  restore(): void;
  /** Called in the end in any case. */
  release(): void;
}

/** What a step has replaced by results that are not computed yet. */
export class HeldStates {
  readonly #states: HeldState[] = [];
  readonly #variables = new Set<Variable>();

  hold(state: HeldState): void {
    this.#states.push(state);
  }

  /** Holds the value that a variable has before its first assignment in the step. */
  holdVariable(variable: Variable, engine: Engine): void {
    if (this.#variables.has(variable)) return;
    this.#variables.add(variable);
    const { dataId, shape, dtype } = variable;
    nativeBackend().incRef(dataId);
    const before = engine.makeTensorFromTensorInfo({ dataId, shape, dtype });
    before.kept = true;
    this.hold({ restore: () => variable.assign(before), release: () => before.dispose() });
  }

  /** When the step has ended. */
  settle(hasFailed: boolean): void {
    const states = this.#states.splice(0).reverse();
    try {
      if (hasFailed) for (const state of states) state.restore();
    } finally {
      for (const state of states) state.release();
    }
  }
}
