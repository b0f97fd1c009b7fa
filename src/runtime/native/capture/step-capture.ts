import { onAllocationCount } from "../../allocation-tracker.ts";
import { begin, uninterrupted } from "../../interrupts.ts";
import { openLevels } from "../../levels.ts";
import { engine } from "../../load.ts";
import { opGuards } from "../../op-guard.ts";
import { isObservingProfile } from "../../profile-scope.ts";
import { isCapturing, startSession } from "./active.ts";
import { captureAddon } from "./addon.ts";
import type { CapturedStep } from "./captured-step.ts";
import { stepFunction } from "./function.ts";
import type { Recorded, SessionOptions } from "./session.ts";
import { analyse, mayBeConstant, sameValues, type Trace, type Values } from "./trace.ts";

/** A step is captured when it has run so often. */
const SIGHTINGS = 3;
/** As many functions are kept; each takes several megabytes. */
const FUNCTIONS = 16;
/** As many steps are remembered that were not seen often enough. */
const SEEN = 64;
/** After so many refusals in a row no further step is recorded. */
const REFUSALS = 3;

/** After so many runs in a row that no function could compute, none is recorded, which takes time. */
const MISSES = 200;

interface Seen {
  count: number;
  /** Values of small uploads that have been the same each time. */
  constants: (Values | undefined)[];
}

const removal = new FinalizationRegistry<CapturedStep[]>((steps) => {
  for (const { fn } of steps) fn.remove();
});

/**
 * Runs a step that is repeated. Its JavaScript runs each time, but once the same ops on inputs of the same shapes and types have been
 * seen three times, they are only compared with those, and computed at the end as one function of TensorFlow. Nothing is assumed:
 * a step that differs in any op, shape, constant or use of a result is computed op by op, with the same result.
 */
export class StepCapture {
  readonly #title: string;
  /** The last used comes last. */
  readonly #steps: CapturedStep[] = [];
  readonly #seen = new Map<string, Seen>();
  #refusals = 0;
  #misses = 0;
  #fault: string | undefined;
  #obstacle: string | undefined;
  #calls = 0;

  /** `title` begins the names of the functions: letters and digits. */
  constructor(title: string) {
    this.#title = title;
    removal.register(this, this.#steps);
  }

  /** The number of functions, how often one has run, and why the last step was not captured. */
  get state(): { functions: number; calls: number; fault: string | undefined } {
    return { functions: this.#steps.length, calls: this.#calls, fault: this.#fault ?? this.#obstacle };
  }

  /** Runs the step. Tensors that it makes and that are not its result must be disposed when it returns, as in a `tidy`. */
  run<T>(step: () => T, options: SessionOptions = {}): T {
    this.#obstacle = obstacle();
    if (this.#refusals >= REFUSALS || this.#misses >= MISSES || this.#obstacle !== undefined) return step();
    const [session, leave] = startSession(this.#steps, options);
    const open = begin(
      () => {},
      () => {
        try {
          session.fail();
        } finally {
          leave();
          session.settleState();
        }
      },
    );
    try {
      const result = step();
      const recorded = uninterrupted(() => session.end());
      if (recorded) this.#note(recorded);
      else this.#used(session.followed!, session.fault);
      return result;
    } finally {
      open.end();
    }
  }

  #used(step: CapturedStep, fault: string | undefined): void {
    this.#steps.splice(this.#steps.lastIndexOf(step), 1);
    if (fault === undefined) {
      this.#calls++;
      this.#refusals = 0;
      this.#misses = 0;
      this.#steps.push(step);
      return;
    }
    step.fn.remove();
    this.#seen.delete(step.signature);
    this.#refuse(fault);
  }

  #note({ trace, refused }: Recorded): void {
    if (++this.#misses === MISSES)
      this.#fault = `${MISSES} runs in a row had other ops, shapes or constants than those before`;
    const found = refused === undefined ? analyse(trace) : { refused };
    if ("refused" in found) {
      this.#refuse(found.refused);
      return;
    }
    const { signature, structural, pinned } = found;
    const seen = this.#seen.get(signature) ?? { count: 0, constants: trace.uploads.map(smallValues) };
    seen.count++;
    seen.constants = seen.constants.map((values, k) =>
      values && sameValues(values, trace.uploads[k]!.values) ? values : undefined,
    );
    this.#seen.delete(signature);
    this.#seen.set(signature, seen);
    if (this.#seen.size > SEEN) this.#seen.delete(this.#seen.keys().next().value!);
    const before = this.#steps.findIndex((step) => step.signature === signature);
    if (seen.count < SIGHTINGS && before < 0) return;
    const constant = seen.constants.map((values, k) => values !== undefined || structural[k]!);
    if (before >= 0) this.#steps.splice(before, 1)[0]!.fn.remove();
    try {
      const fn = stepFunction(this.#title, trace, constant);
      this.#steps.push({ signature, trace: withoutData(trace, constant), constant, pinned, fn });
      this.#fault = undefined;
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message.split("\n")[0]! : String(error));
    }
    if (this.#steps.length > FUNCTIONS) this.#steps.shift()!.fn.remove();
  }

  #refuse(reason: string): void {
    this.#refusals++;
    this.#fault = reason;
  }
}

/** Why no step can be captured now: what is around it looks at single ops. */
function obstacle(): string | undefined {
  const capture = captureAddon();
  if ("fault" in capture) return capture.fault;
  if (isCapturing()) return "it runs inside of another captured step";
  if (opGuards.length > 0 || onAllocationCount() > 0) return "it runs inside of a memory budget or probe";
  if (isObservingProfile() || engine.state.profiling) return "it runs inside of a profile";
  if (openLevels().length > 0) return "it runs inside of vmap";
  return engine.state.gradientDepth === 0 ? undefined : "it runs inside of a gradient";
}

const smallValues = (upload: Trace["uploads"][number]): Values | undefined =>
  mayBeConstant(upload) ? upload.values.slice() : undefined;

const empty = new Uint8Array(0);

/** The trace without the values of its arguments, which would keep a batch in memory. */
const withoutData = (trace: Trace, constant: readonly boolean[]): Trace => ({
  ...trace,
  uploads: trace.uploads.map(({ shape, dtype, values }, k) => ({
    shape,
    dtype,
    values: constant[k] ? values.slice() : empty,
  })),
});
