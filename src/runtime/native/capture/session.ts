// One run of a step: its ops are recorded, or, where a captured step has begun with the same ones, only compared with it. Then
// nothing is computed until the end, where one function computes everything.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { allocationOf } from "../../allocation-tracker.ts";
import { observeLayers } from "../../layer-gradients.ts";
import { currentProfileScope } from "../../profile-scope.ts";
import type { Metadata, NativeData } from "../../tfjs/backend.ts";
import type { Engine } from "../../tfjs/engine.ts";
import { entryOf, nativeBackend } from "../backend.ts";
import { type DonatingBinding, type Donation, executeDonating } from "../donation.ts";
import { agreedOp, agreesOnUploads, agreesSoFar } from "./agreement.ts";
import { callFunction } from "./call-function.ts";
import type { CapturedStep } from "./captured-step.ts";
import { type HeldState, HeldStates } from "./held-states.ts";
import { computeOps, resultText } from "./op-by-op.ts";
import { type OpOfStep, refusal } from "./op-rules.ts";
import { isPending, isPendingUpload } from "./pending.ts";
import { PendingTensors } from "./pending-tensors.ts";
import type { Replay, ReplayArguments } from "./replay.ts";
import { ReplayNotes } from "./replay-notes.ts";
import {
  externalRef,
  madeOf,
  madeRef,
  type Ref,
  sourceOf,
  type TensorType,
  type Trace,
  type TracedOp,
  uploadOf,
  uploadRef,
  type Values,
} from "./trace.ts";

type Binding = Pick<DonatingBinding, "canDonate" | "executeOp" | "createTensor" | "deleteTensor" | "tensorDataSync">;

/** What a session gives back when the step has ended. */
export interface Recorded {
  trace: Trace;
  /** Why the step cannot be captured. */
  refused?: string;
  /** How it can be called without its JavaScript, or why not. */
  replay?: Replay | { refused: string };
}

export interface SessionOptions {
  /** Whether what cannot be captured is an error. Otherwise it ends the capture of this run. */
  isStrict?: boolean;
  /** Of a step whose JavaScript need not run each time. */
  replay?: ReplayArguments | undefined;
}

/** What a session works on: TensorFlow's functions, and tfjs' engine. */
export interface SessionRuntime {
  readonly binding: Binding;
  readonly engine: Engine;
}

export class Session {
  readonly #binding: Binding;
  readonly #engine: Engine;
  readonly #captured: readonly CapturedStep[];
  readonly #options: SessionOptions;
  /** The captured step that this run agrees with so far. */
  #following: CapturedStep | undefined;
  readonly #trace: Trace = { ops: [], uploads: [], externals: [], alive: [] };
  #made = 0;
  readonly #pending: PendingTensors;
  /** Where a tensor that exists comes from, by its number. */
  readonly #refs = new Map<number, Ref>();
  /** Shape and type of tensors from before, by number. */
  readonly #types = new Map<number, TensorType & { dataId: object }>();
  #refused: string | undefined;
  #isOpen = true;
  /** Nodes of the function are named by layer, so layers are recorded with the ops. */
  #stopLayers: (() => void) | undefined;
  #followed: CapturedStep | undefined;
  #fault: string | undefined;
  readonly #held = new HeldStates();
  #hasFailed = false;
  /** For a replay. */
  readonly notes: ReplayNotes | undefined;

  constructor({ binding, engine }: SessionRuntime, captured: readonly CapturedStep[], options: SessionOptions) {
    this.#binding = binding;
    this.#pending = new PendingTensors(binding);
    this.#engine = engine;
    this.#captured = captured;
    this.#options = options;
    this.#following = captured.at(-1);
    if (options.replay) this.notes = new ReplayNotes(options.replay);
    if (!this.#following) this.#stopLayers = observeLayers();
  }

  /** Why TensorFlow could not run the function of a step that the run agreed with. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The captured step that the run agreed with to its end. */
  get followed(): CapturedStep | undefined {
    return this.#followed;
  }

  /** Notes the types of inputs, which the binding does not tell. */
  noteInputs(tensors: readonly { dataId: object }[], ids: readonly number[]): void {
    const { tensorMap } = nativeBackend();
    ids.forEach((id, i) => {
      if (isPending(id)) {
        if (isPendingUpload(id) && !this.#pending.has(id)) {
          const { dataId } = tensors[i]!;
          const entry = tensorMap.data.get(dataId);
          if (entry?.id === id) this.#pending.note(entry);
          this.notes?.noteUpload(uploadOf(this.#pending.refOf(id))!, dataId);
        }
      } else if (!this.#types.has(id) && !this.#refs.has(id)) {
        const entry = tensorMap.data.get(tensors[i]?.dataId as object);
        if (entry) this.#types.set(id, { shape: entry.shape, dtype: entry.dtype, dataId: tensors[i]!.dataId });
      } else if (this.notes) {
        const ref = this.#refs.get(id);
        const upload = ref === undefined ? undefined : uploadOf(ref);
        if (upload !== undefined) this.notes.noteUpload(upload, tensors[i]!.dataId);
      }
    });
  }

  /** Notes the record of a tensor that is not computed yet. */
  noteEntry(entry: NativeData): void {
    this.#pending.note(entry);
  }

  /** A variable is about to be assigned. */
  noteAssignment(variable: Variable): void {
    this.notes?.noteAssignment(variable);
    if (this.#following) this.#held.holdVariable(variable, this.#engine);
  }

  /** The values of a tensor are read. */
  noteRead(): void {
    this.notes?.prevent("it reads the values of a tensor");
  }

  /** Holds state that the step is about to replace, if its results are not computed before the end. */
  hold(make: () => HeldState): void {
    if (this.#following) this.#held.hold(make());
  }

  /** When the run has ended: gives state back where its results could not be computed. */
  settleState(): void {
    this.#held.settle(this.#hasFailed);
  }

  executeOp(
    [name, attrs, ids, count]: [name: string, attrs: TFEOpAttr[], ids: number[], count: number],
    donation?: Donation,
  ): Metadata[] {
    const refs = ids.map((id) => this.#refOf(id));
    if (this.#following) {
      const op = this.#matching(name, attrs, refs, count);
      if (op) {
        this.#trace.ops.push(op);
        return op.outputs.map(({ shape, dtype }) => {
          this.#made++;
          return { id: this.#pending.nextMade(), shape: [...shape], dtype };
        });
      }
      this.#compute();
    }
    if (this.#options.isStrict) requireCapturable({ name, attrs, count });
    const real = ids.map(this.#pending.realOf);
    const donated = donation?.map((tensor) => real.indexOf(entryOf(tensor).id));
    const made = executeDonating(this.#binding, [name, attrs, real, count], donation);
    if (this.#refused) return made;
    this.#trace.ops.push({
      name,
      attrs,
      inputs: refs,
      first: this.#made,
      outputs: made.map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
      layer: currentProfileScope(),
      donated,
    });
    for (const { id } of made) this.#refs.set(id, madeRef(this.#made++));
    return made;
  }

  createTensor(shape: number[], dtype: number, buffer: unknown): number {
    const values = buffer as Values;
    if (!(ArrayBuffer.isView(values) && !(values instanceof DataView)) || this.#refused) {
      this.#abandon("it gives TensorFlow values that are not numbers");
      return this.#binding.createTensor(shape, dtype, buffer as never);
    }
    const k = this.#trace.uploads.length;
    this.#trace.uploads.push({ shape: [...shape], dtype, values });
    if (this.#following) {
      if (agreesOnUploads(this.#following, this.#trace, k) || this.#switch()) {
        return this.#pending.nextUpload();
      }
      this.#trace.uploads.pop();
      this.#compute();
      this.#trace.uploads.push({ shape: [...shape], dtype, values });
    }
    const id = this.#binding.createTensor(shape, dtype, values as never);
    this.#refs.set(id, uploadRef(k));
    return id;
  }

  deleteTensor(id: number): void {
    this.#pending.delete(id, this.#following !== undefined);
  }

  tensorDataSync(id: number): ReturnType<Binding["tensorDataSync"]> {
    // A tensor from before the step, whose type is not known here. What the step does with its values is compared in any case.
    if (!isPending(id) && !this.#refs.has(id)) return this.#binding.tensorDataSync(id);
    const ref = this.#refOf(id);
    const source = sourceOf(ref);
    if ("upload" in source) {
      if (this.#pending.isUnknown(id)) return this.#trace.uploads[source.upload]!.values.slice();
    } else if ("made" in source) {
      const what = `reads ${resultText(this.#trace, source.made)} before it ends`;
      if (this.#options.isStrict)
        throw new Error(`compile: the step ${what}: return the tensor and read it after the call`);
      this.#abandon(`it ${what}`);
    }
    return this.#binding.tensorDataSync(this.#pending.realOf(id));
  }

  /** Ends the run: computes what is pending. Returns what was recorded; undefined where a captured step was followed. */
  end(result?: unknown): Recorded | undefined {
    const following = this.#following;
    if (following && this.#isWhole(following)) {
      this.#followed = following;
      this.#call(following);
      return undefined;
    }
    if (following) this.#compute();
    this.#close();
    if (this.#refused) return { trace: this.#trace, refused: this.#refused };
    const alive = new Set<number>();
    for (const [id, ref] of this.#refs) {
      const made = allocationOf(id) && madeOf(ref);
      if (made !== undefined) alive.add(made);
    }
    this.#trace.alive = [...alive].sort((a, b) => a - b);
    const replay = this.notes?.replay(this.#trace, result, (id) => {
      const ref = this.#refs.get(id);
      return ref === undefined ? undefined : madeOf(ref);
    });
    return { trace: this.#trace, ...(replay && { replay }) };
  }

  /** Ends a run that failed or was stopped. Tensors that outlive it are computed, and errors of that ignored. */
  fail(): void {
    if (!this.#isOpen) return;
    try {
      if (this.#pending.isEmpty) this.#pending.release();
      else this.#compute();
    } catch {
      this.#pending.release();
    }
    this.#close();
  }

  #close(): void {
    this.#isOpen = false;
    this.#stopLayers?.();
    this.#stopLayers = undefined;
  }

  #refOf(id: number): Ref {
    if (isPending(id)) return this.#pending.refOf(id);
    const known = this.#refs.get(id);
    if (known !== undefined) return known;
    const type = this.#types.get(id);
    if (!type) this.#refused ??= "it uses a tensor of unknown shape";
    const external = this.#trace.externals.length;
    const ref = externalRef(external);
    this.#trace.externals.push({ id, shape: type?.shape ?? [], dtype: type?.dtype ?? 0 });
    this.notes?.noteExternal(external, type?.dataId);
    this.#refs.set(id, ref);
    return ref;
  }

  /** The next op of the captured step that is followed, or of another one that began alike. */
  #matching(name: string, attrs: TFEOpAttr[], inputs: readonly Ref[], count: number): TracedOp | undefined {
    const at = this.#trace.ops.length;
    const next = (step: CapturedStep) => agreedOp(step, this.#trace, at, { name, attrs, inputs, count });
    return next(this.#following!) ?? (this.#switch(next) ? next(this.#following!) : undefined);
  }

  /** Goes on with another captured step that agrees with all of this run so far, the last used first. */
  #switch(also: (step: CapturedStep) => unknown = () => true): boolean {
    const found = this.#captured.findLast(
      (step) => step !== this.#following && agreesSoFar(step, this.#trace) && also(step),
    );
    if (found) this.#following = found;
    return found !== undefined;
  }

  /** Whether the captured step ends here and gives every tensor that is still in use. */
  #isWhole({ trace, fn }: CapturedStep): boolean {
    if (this.#trace.ops.length !== trace.ops.length || this.#trace.uploads.length !== trace.uploads.length)
      return false;
    for (const source of this.#pending.sources())
      if ("made" in source && !fn.results.includes(source.made)) return false;
    return true;
  }

  /** Computes the whole step by its function. */
  #call(step: CapturedStep): void {
    const { fn } = step;
    const uploaded = new Map(fn.uploads.map((k) => [k, this.#upload(k)]));
    const ids = [...uploaded.values(), ...fn.externals.map((e) => this.#trace.externals[e]!.id)];
    let made: Map<number, Metadata>;
    try {
      // What the step replaces is held by this session alone.
      made = callFunction(this.#binding, step, ids, (i) => this.#types.get(ids[i]!));
    } catch (error) {
      for (const id of uploaded.values()) this.#binding.deleteTensor(id);
      this.#fault = error instanceof Error ? error.message : String(error);
      // Op by op the step may still succeed, for instance with less memory; otherwise the op and its layer are named.
      this.#compute();
      this.#close();
      return;
    }
    this.#close();
    const results = new Map([...made].map(([index, { id }]) => [index, id]));
    this.#pending.settle((source) => {
      if ("made" in source) return taken(results, source.made);
      return "upload" in source ? (taken(uploaded, source.upload) ?? this.#upload(source.upload)) : undefined;
    });
    for (const id of [...results.values(), ...uploaded.values()]) this.#binding.deleteTensor(id);
  }

  #upload(k: number): number {
    const { shape, dtype, values } = this.#trace.uploads[k]!;
    return this.#binding.createTensor([...shape], dtype, values as never);
  }

  /** Computes what is pending op by op, and records from here on. */
  #compute(): void {
    this.#following = undefined;
    this.#stopLayers ??= observeLayers();
    const real: number[] = [];
    const uploads = this.#trace.uploads.map((_, k) => this.#upload(k));
    try {
      computeOps(this.#binding, this.#trace, uploads, real);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    } finally {
      for (const [i, id] of real.entries()) this.#refs.set(id, madeRef(i));
      for (const [k, id] of uploads.entries()) this.#refs.set(id, uploadRef(k));
      this.#pending.computed(real, uploads);
    }
  }

  #abandon(reason: string): void {
    this.#refused ??= reason;
    if (this.#following) this.#compute();
  }
}

/** Throws for an op that cannot be in a captured step. */
function requireCapturable(op: OpOfStep): void {
  const refused = refusal(op);
  const layer = currentProfileScope();
  if (refused)
    throw new Error(`compile: ${refused}${layer ? ` (in the layer ${layer})` : ""}: compute it outside of the step`);
}

/** The value of a key, which is removed. */
function taken(values: Map<number, number>, key: number): number | undefined {
  const value = values.get(key);
  values.delete(key);
  return value;
}
