import { onAllocationCount } from "../../allocation-tracker.ts";
import { begin, stopIfInterrupted, uninterrupted } from "../../interrupts.ts";
import { openLevels } from "../../levels.ts";
import { engine, tf } from "../../load.ts";
import { opGuards } from "../../op-guard.ts";
import { isObservingProfile } from "../../profile-scope.ts";
import { hasKernels } from "../kernels/load.ts";
import { isCapturing, startSession } from "./active.ts";
import { captureAddon } from "./addon.ts";
import type { CapturedStep } from "./captured-step.ts";

import {
  difference,
  type Replay,
  type ReplayArguments,
  sameCall,
  sameGiven,
  sameKey,
  samePlace,
  sameTypes,
  shapeless,
} from "./replay.ts";
import { ReplayCall } from "./replay-call.ts";
import type { Recorded, SessionOptions } from "./session.ts";
import { sharedFunction } from "./shared-functions.ts";
import { largestSize } from "./size.ts";
import { type Analysis, analyse, mayBeConstant, sameValues, type Trace, type Values } from "./trace.ts";

/** A step is captured when runs of its form, on inputs of any shapes, have been so many. */
const SIGHTINGS = 3;
/**
 * Where constants differ from shape to shape, steps of further shapes are captured when they have run so often: a function costs as
 * much time as it saves in 10 to 20 calls. One that is made again, because there were too many, waits twice as long each time.
 */
const LATER_SIGHTINGS = 12;
/** As many of these runs are recorded, where what a step is given tells its shapes: recording takes time. */
const RECORDINGS = 2;
/** After so many recorded runs in a row whose form did not suffice to capture them, not every run of other shapes is recorded. */
const STRANGERS = 8;
/** As many functions are kept; each takes several megabytes. */
const FUNCTIONS = 16;
/** As many steps are kept, which share functions. */
const STEPS = 512;
/** As many steps are remembered that were not seen often enough. */
const SEEN = 64;
/** And as many sizes. */
const SIZES = 512;
/** After so many refusals in a row no further step is recorded. */
const REFUSALS = 3;

/** After so many runs in a row that no function could compute, none is recorded, which takes time: an epoch may have as many lengths. */
const MISSES = STEPS;

/** What recorded runs of a step, or of a form of steps, have in common. */
interface Seen {
  count: number;
  /** How often it has to run before it is captured, beside others. */
  wanted: number;
  /** What all runs so far agree on for a replay, or why there is none. */
  replay: CapturedStep["replay"];
  /** Values of small uploads that have been the same each time. */
  constants: (Values | undefined)[];
}

/** What runs of a form on the same inputs tell: whether what decides shapes follows from the inputs. */
interface Repeats {
  /** One for each that was given something else. */
  readonly runs: { readonly replay: Replay; readonly externals: Trace["externals"] }[];
  /** How many runs agreed with one before. */
  count: number;
  hasDiffered: boolean;
}

/** Runs that were given something of the same size, since a function was made for such a run. */
interface Sized {
  count: number;
  /** How many of them were not recorded, and are not counted for a step yet. */
  unrecorded: number;
  /** As for the step; 0 where a function was found that computes such runs. */
  wanted: number;
}

const removal = new FinalizationRegistry<CapturedStep[]>((steps) => {
  for (const { fn } of steps) fn.remove();
});

/**
 * Runs a step that is repeated. Its JavaScript runs each time, but once the same ops have been seen three times, and once on inputs of
 * these shapes and types, they are only compared with those, and computed at the end as one function of TensorFlow. Nothing is assumed:
 * a step that differs in any op, shape, constant or use of a result is computed op by op, with the same result. One function serves
 * inputs of all shapes.
 */
export class StepCapture {
  readonly #title: string;
  /** The last used comes last. */
  readonly #steps: CapturedStep[] = [];
  readonly #seen = new Map<string, Seen>();
  /** By form: the same for steps of other shapes. */
  readonly #forms = new Map<string, Seen>();
  /** By form, of runs that could be replayed. */
  readonly #repeats = new Map<string, Repeats>();
  /** How many recorded runs in a row were of no form that is known well enough. */
  #strangers = 0;
  /** By size; the last used comes last. */
  readonly #sized = new Map<number, Sized>();
  #refusals = 0;
  #misses = 0;
  #fault: string | undefined;
  #obstacle: string | undefined;
  #calls = 0;
  #replays = 0;
  #replayFault: string | undefined;

  /** `title` begins the names of the functions: letters and digits. */
  constructor(title: string) {
    this.#title = title;
    removal.register(this, this.#steps);
  }

  /**
   * The number of functions, and of the shapes that they are known to serve; how often one has run, and in how many of these calls the
   * step's JavaScript did not; why the last step was not captured, and why the last function was made for a step whose JavaScript runs
   * each time.
   */
  get state() {
    const [functions, shapes, fault] = [this.#functions, this.#steps.length, this.#fault ?? this.#obstacle];
    return { functions, shapes, calls: this.#calls, replays: this.#replays, fault, replayFault: this.#replayFault };
  }

  /**
   * Runs the step. Tensors that it makes and that are not its result must be disposed when it returns, as in a `tidy`. `given` is what
   * the shapes of the step follow from, for instance its batch: steps of another size are recorded after a few such runs.
   */
  run<T>(step: () => T, { given, ...options }: SessionOptions & { given?: unknown } = {}): T {
    this.#obstacle = obstacle();
    if (this.#refusals >= REFUSALS || this.#misses >= MISSES || this.#obstacle !== undefined) return step();
    const size = given === undefined ? undefined : largestSize(given);
    const sized = size === undefined ? undefined : this.#sizedRuns(size);
    if (sized && this.#waits(sized)) {
      sized.unrecorded++;
      return step();
    }
    const replay = options.replay && { ...options.replay, key: [...options.replay.key, hasKernels()] };
    const replayed = replay && this.#replayed(replay, size);
    if (replayed) return replayed.result as T;
    const [session, leave] = startSession(this.#steps, { ...options, replay });
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
      const recorded = uninterrupted(() => session.end(result));
      if (recorded) this.#note(recorded, size, sized);
      else this.#used(session.followed!, session.fault);
      if (sized && !recorded) sized.wanted = 0;
      return result;
    } finally {
      open.end();
    }
  }

  /** The result of a step without its JavaScript; undefined where that must run. */
  #replayed(args: ReplayArguments, size?: number): { result: unknown } | undefined {
    if (!this.#steps.some(({ replay }) => replay && "key" in replay && sameKey(replay.key, args.key))) return undefined;
    const last = [...this.#steps].reverse();
    const likely = last.filter((step) => step.size === size);
    const call = new ReplayCall(args);
    let found: { result: unknown } | undefined;
    tf.tidy(() => {
      try {
        for (const step of [...likely, ...last.filter((other) => !likely.includes(other))]) {
          found = call.run(step);
          if (!found) {
            call.restore();
            continue;
          }
          this.#used(step, undefined);
          this.#replays++;
          break;
        }
      } catch {
        // With its JavaScript the step throws the same, and names the op and its layer; or it succeeds in another way.
        call.restore();
        stopIfInterrupted();
      }
      return found?.result as never;
    });
    return found;
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

  /** The runs of a size; undefined where there is a function of this size, so that each run is recorded or followed. */
  #sizedRuns(size: number): Sized | undefined {
    if (this.#steps.some((step) => step.size === size)) return undefined;
    const sized = this.#sized.get(size) ?? { count: 0, unrecorded: 0, wanted: LATER_SIGHTINGS };
    remember(this.#sized, size, sized, SIZES);
    return sized;
  }

  /** Whether a run of this size is not recorded yet. The first run makes what later ones find, so that it often has other ops. */
  #waits(sized: Sized): boolean {
    if (this.#forms.size > 0 && this.#strangers < STRANGERS) return false;
    return ++sized.count + RECORDINGS <= this.#wanted(sized);
  }

  /** How often it has to run before it is captured. */
  #wanted({ wanted }: Pick<Seen, "wanted">): number {
    return this.#steps.length === 0 ? SIGHTINGS : wanted;
  }

  #note({ trace, refused, replay: own }: Recorded, size?: number, sized?: Sized): void {
    if (++this.#misses === MISSES)
      this.#fault = `${MISSES} runs in a row had other ops, shapes or constants than those before`;
    const found = refused === undefined ? analyse(trace) : { refused };
    if ("refused" in found) {
      this.#refuse(found.refused);
      return;
    }
    const { structural, pinned } = found;
    const repeats = own && "key" in own ? this.#repeated(found, own, trace) : undefined;
    const replay = repeats?.hasDiffered ? { refused: differingShapes } : own;
    const signature = this.#signatureFor(found.signature, replay);
    const seen = noted(this.#seen, signature, trace, replay, 1 + (sized?.unrecorded ?? 0));
    if (sized) sized.unrecorded = 0;
    const shapelessReplay = replay && "key" in replay ? shapeless(replay, structural, pinned) : replay;
    const form = noted(this.#forms, found.form, trace, shapelessReplay, 1);
    const isFormKnown =
      form.count >= (size === undefined ? SIGHTINGS : RECORDINGS) &&
      !(form.replay && "refused" in form.replay && replay && "key" in replay);
    this.#strangers = isFormKnown ? 0 : this.#strangers + 1;
    // For a replay on inputs that came once, values that decide shapes must be known to follow from the inputs, or from what is given.
    const isRepeatable = repeats === undefined || repeats.hasDiffered || repeats.count > 0 || size !== undefined;
    const isOfKnownForm = isFormKnown && isRepeatable;
    const before = this.#steps.findIndex((step) => step.signature === signature);
    if (seen.count < this.#wanted(seen) && before < 0 && !isOfKnownForm) return;
    seen.count = 0;
    seen.wanted *= 2;
    if (sized) Object.assign(sized, { count: 0, wanted: seen.wanted });
    const places = seen.replay && "uploads" in seen.replay ? seen.replay.uploads : undefined;
    const { constants } = isOfKnownForm ? form : seen;
    const constant = constants.map(
      (values, k) => structural[k]! || (values !== undefined && (!places || "values" in places[k]!)),
    );
    if (before >= 0) this.#steps.splice(before, 1)[0]!.fn.remove();
    try {
      const fn = sharedFunction(this.#title, found, trace, constant);
      const pinning = pinned.findIndex(
        (is, e) => is && places && "key" in seen.replay! && !("fixed" in seen.replay.externals[e]!),
      );
      const kept = pinning < 0 ? seen.replay : { refused: "values of its inputs decide shapes" };
      this.#replayFault = kept && "refused" in kept ? kept.refused : undefined;
      const like = this.#steps.findLast((step) => step.form === found.form);
      const slim = withoutData(trace, constant, like?.trace);
      this.#steps.push({ signature, form: found.form, size, trace: slim, constant, pinned, fn, replay: kept });
      if (this.#misses < MISSES) this.#fault = undefined;
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message.split("\n")[0]! : String(error));
    }
    while (this.#steps.length > STEPS || this.#functions > FUNCTIONS) this.#steps.shift()!.fn.remove();
  }

  /** What is known of a form's runs on the same inputs, with one more run. Where they differed, none of its steps is replayed. */
  #repeated({ form, structural, pinned }: Analysis, replay: Replay, { externals }: Trace): Repeats {
    const repeats = this.#repeats.get(form) ?? { runs: [], count: 0, hasDiffered: false };
    remember(this.#repeats, form, repeats, SEEN);
    const at = repeats.runs.findIndex((run) => sameGiven(run.replay, replay) && sameTypes(run.externals, externals));
    const [before] = at < 0 ? [] : repeats.runs.splice(at, 1);
    const uploads = replay.uploads.map((place, k) => ("values" in place && !structural[k] ? { values: empty } : place));
    repeats.runs.push({ replay: { ...replay, uploads }, externals });
    if (repeats.runs.length > SEEN) repeats.runs.shift();
    if (!before) return repeats;
    const agrees =
      structural.every((is, k) => !is || samePlace(before.replay.uploads[k]!, replay.uploads[k]!)) &&
      pinned.every((is, e) => !is || samePlace(before.replay.externals[e]!, replay.externals[e]!));
    if (agrees) repeats.count++;
    else repeats.hasDiffered = true;
    if (repeats.hasDiffered)
      for (const [i, step] of this.#steps.entries())
        if (step.form === form) this.#steps[i] = { ...step, replay: { refused: differingShapes } };
    return repeats;
  }

  get #functions(): number {
    return new Set(this.#steps.map(({ fn }) => fn.name)).size;
  }

  /** Another one for a step that is replayed for other values among its inputs that are not tensors, or other settings. */
  #signatureFor(signature: string, replay: CapturedStep["replay"]): string {
    const other = this.#steps.find((step) => step.signature === signature)?.replay;
    if (!other || !replay || "refused" in other || "refused" in replay || sameCall(other, replay)) return signature;
    return this.#signatureFor(`${signature}'`, replay);
  }

  #refuse(reason: string): void {
    this.#refusals++;
    this.#fault = reason;
  }
}

/** Adds a recorded run to what is known of a step or a form. */
function noted(all: Map<string, Seen>, key: string, trace: Trace, replay: CapturedStep["replay"], count: number): Seen {
  const seen = all.get(key) ?? { count: 0, wanted: LATER_SIGHTINGS, constants: trace.uploads.map(smallValues), replay };
  seen.count += count;
  seen.replay = agreed(seen.replay, replay, trace);
  seen.constants = seen.constants.map((values, k) =>
    values && sameValues(values, trace.uploads[k]!.values) ? values : undefined,
  );
  remember(all, key, seen, SEEN);
  return seen;
}

/** Puts an entry last in a map of at most `most` entries. */
function remember<K, T>(map: Map<K, T>, key: K, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as K);
}

/** What two runs agree on. */
function agreed(before: CapturedStep["replay"], now: CapturedStep["replay"], trace: Trace): CapturedStep["replay"] {
  if (!before || !now) return undefined;
  if ("refused" in before) return before;
  if ("refused" in now) return now;
  const refused = difference(before, now, trace);
  return refused === undefined ? now : { refused };
}

/** Why no step can be captured now: what is around it looks at single ops. */
function obstacle(): string | undefined {
  const capture = captureAddon();
  if ("fault" in capture) return capture.fault;
  if (engine.backendName !== "tensorflow") return `it runs on tfjs' ${engine.backendName} backend`;
  if (isCapturing()) return "it runs inside of another captured step";
  if (opGuards.length > 0 || onAllocationCount() > 0) return "it runs inside of a memory budget or probe";
  if (isObservingProfile() || engine.state.profiling) return "it runs inside of a profile";
  if (openLevels().length > 0) return "it runs inside of vmap";
  return engine.state.gradientDepth === 0 ? undefined : "it runs inside of a gradient";
}

const differingShapes = "values that decide shapes differed between runs on the same inputs";

const smallValues = (upload: Trace["uploads"][number]): Values | undefined =>
  mayBeConstant(upload) ? upload.values.slice() : undefined;

const empty = new Uint8Array(0);

/**
 * The trace without the values of its arguments, which would keep a batch in memory. It has parts in common with the one of a step of
 * the same form.
 */
const withoutData = (trace: Trace, constant: readonly boolean[], like: Trace | undefined): Trace => ({
  ...trace,
  ops: trace.ops.map((op, i) => {
    const other = like?.ops[i];
    return other ? { ...op, attrs: other.attrs, inputs: other.inputs } : op;
  }),
  uploads: trace.uploads.map(({ shape, dtype, values }, k) => ({
    shape,
    dtype,
    values: constant[k] ? values.slice() : empty,
  })),
});
