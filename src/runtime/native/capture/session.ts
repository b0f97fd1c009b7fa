// One run of a step: its ops are recorded, or, where a captured step has begun with the same ones, only compared with it. Then
// nothing is computed until the end, where one function computes everything.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { allocationOf } from "../../allocation-tracker.ts";
import { observeLayers } from "../../layer-gradients.ts";
import { currentProfileScope } from "../../profile-scope.ts";
import type { NativeData } from "../../tfjs/backend.ts";
import type { Engine } from "../../tfjs/engine.ts";
import { nativeBackend } from "../backend.ts";
import { agreedOp, agreesOnUploads, agreesSoFar } from "./agreement.ts";
import type { CapturedStep } from "./captured-step.ts";
import { type HeldState, HeldStates } from "./held-states.ts";
import { measured } from "./measured.ts";
import { computeOps, makerOf } from "./op-by-op.ts";
import { refusal } from "./op-rules.ts";
import { isPending, isPendingUpload, PendingNumbers } from "./pending.ts";
import {
  externalRef,
  madeRef,
  type Ref,
  sourceOf,
  type TensorType,
  type Trace,
  type TracedOp,
  uploadRef,
  type Values,
} from "./trace.ts";

type Binding = Pick<TFJSBinding, "executeOp" | "createTensor" | "deleteTensor" | "tensorDataSync">;
type Metadata = ReturnType<Binding["executeOp"]>;

/** What a session gives back when the step has ended. */
export interface Recorded {
  trace: Trace;
  /** Why the step cannot be captured. */
  refused?: string;
}

export interface SessionOptions {
  /** Whether what cannot be captured is an error. Otherwise it ends the capture of this run. */
  isStrict?: boolean;
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
  readonly #pending = new PendingNumbers();
  /** Where a tensor that exists comes from, by its number. */
  readonly #refs = new Map<number, Ref>();
  /** Shape and type of tensors from before, by number. */
  readonly #types = new Map<number, TensorType>();
  /** The records of tensors that are not computed yet. */
  readonly #entries = new Map<number, NativeData>();
  /** Tensors from before that the step has freed; they may be arguments of the function. */
  readonly #freed: number[] = [];
  /** TensorFlow's numbers of tensors that were pending. */
  readonly #computed = new Map<number, number>();
  readonly #dead = new Set<number>();
  #refused: string | undefined;
  #isOpen = true;
  /** Nodes of the function are named by layer, so layers are recorded with the ops. */
  #stopLayers: (() => void) | undefined;
  #followed: CapturedStep | undefined;
  #fault: string | undefined;
  readonly #held = new HeldStates();
  #hasFailed = false;

  constructor({ binding, engine }: SessionRuntime, captured: readonly CapturedStep[], options: SessionOptions) {
    this.#binding = binding;
    this.#engine = engine;
    this.#captured = captured;
    this.#options = options;
    this.#following = captured.at(-1);
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
        if (isPendingUpload(id) && !this.#entries.has(id)) {
          const entry = tensorMap.data.get(tensors[i]!.dataId);
          if (entry?.id === id) this.#entries.set(id, entry);
        }
      } else if (!this.#types.has(id) && !this.#refs.has(id)) {
        const entry = tensorMap.data.get(tensors[i]?.dataId as object);
        if (entry) this.#types.set(id, { shape: entry.shape, dtype: entry.dtype });
      }
    });
  }

  /** Notes the record of a tensor that is not computed yet. */
  noteEntry(entry: NativeData): void {
    if (isPending(entry.id)) this.#entries.set(entry.id, entry);
  }

  /** A variable is about to be assigned. */
  noteAssignment(variable: Variable): void {
    if (this.#following) this.#held.holdVariable(variable, this.#engine);
  }

  /** Holds state that the step is about to replace, if its results are not computed before the end. */
  hold(make: () => HeldState): void {
    if (this.#following) this.#held.hold(make());
  }

  /** When the run has ended: gives state back where its results could not be computed. */
  settleState(): void {
    this.#held.settle(this.#hasFailed);
  }

  executeOp(name: string, attrs: TFEOpAttr[], ids: number[], count: number): Metadata {
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
    if (this.#options.isStrict) this.#checkStrictly(name, attrs, count);
    const made = this.#binding.executeOp(
      name,
      attrs,
      ids.map((id) => this.#computed.get(id) ?? id),
      count,
    );
    if (this.#refused) return made;
    this.#trace.ops.push({
      name,
      attrs,
      inputs: refs,
      first: this.#made,
      outputs: made.map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
      layer: currentProfileScope(),
    });
    for (const { id } of made) this.#refs.set(id, madeRef(this.#made++));
    return made;
  }

  #checkStrictly(name: string, attrs: readonly TFEOpAttr[], count: number): void {
    const refused = refusal({ name, attrs, count });
    const layer = currentProfileScope();
    if (refused)
      throw new Error(`compile: ${refused}${layer ? ` (in the layer ${layer})` : ""}: compute it outside of the step`);
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
    this.#entries.delete(id);
    const computed = this.#computed.get(id);
    if (computed !== undefined) this.#binding.deleteTensor(computed);
    else if (isPending(id)) this.#dead.add(id);
    else if (this.#following) this.#freed.push(id);
    else this.#binding.deleteTensor(id);
  }

  tensorDataSync(id: number): ReturnType<Binding["tensorDataSync"]> {
    // A tensor from before the step, whose type is not known here. What the step does with its values is compared in any case.
    if (!isPending(id) && !this.#refs.has(id)) return this.#binding.tensorDataSync(id);
    const ref = this.#refOf(id);
    const source = sourceOf(ref);
    if ("upload" in source) {
      if (isPending(id) && !this.#computed.has(id)) return this.#trace.uploads[source.upload]!.values.slice();
    } else if ("made" in source) {
      const op = makerOf(this.#trace, source.made);
      const layer = op.layer ? ` in the layer ${op.layer}` : "";
      const what = `reads the result of ${op.name}${layer}, [${op.outputs[source.made - op.first]!.shape.join(", ")}]`;
      if (this.#options.isStrict) {
        throw new Error(`compile: the step ${what} before it ends: return the tensor and read it after the call`);
      }
      this.#abandon(`it ${what} before it ends`);
    }
    return this.#binding.tensorDataSync(this.#computed.get(id) ?? id);
  }

  /** Ends the run: computes what is pending. Returns what was recorded; undefined where a captured step was followed. */
  end(): Recorded | undefined {
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
    for (const id of this.#alive()) {
      const ref = this.#refs.get(id);
      if (ref !== undefined && ref % 3 === 0) alive.add(ref / 3);
    }
    this.#trace.alive = [...alive].sort((a, b) => a - b);
    return { trace: this.#trace };
  }

  /** Ends a run that failed or was stopped. Tensors that outlive it are computed, and errors of that ignored. */
  fail(): void {
    if (!this.#isOpen) return;
    try {
      if (this.#entries.size > 0) this.#compute();
      else this.#release();
    } catch {
      this.#release();
    }
    this.#close();
  }

  #close(): void {
    this.#isOpen = false;
    this.#stopLayers?.();
    this.#stopLayers = undefined;
  }

  /** The numbers of tensors of this run that exist and are in use. */
  *#alive(): Iterable<number> {
    for (const id of this.#refs.keys()) if (allocationOf(id)) yield id;
  }

  #refOf(id: number): Ref {
    if (isPending(id)) return this.#pending.refOf(id);
    const known = this.#refs.get(id);
    if (known !== undefined) return known;
    const type = this.#types.get(id);
    if (!type) this.#refused ??= "it uses a tensor of unknown shape";
    const ref = externalRef(this.#trace.externals.length);
    this.#trace.externals.push({ id, ...(type ?? { shape: [], dtype: 0 }) });
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
    for (const id of this.#entries.keys()) {
      const source = sourceOf(this.#refOf(id));
      if ("made" in source && !fn.outputs.includes(source.made)) return false;
    }
    return true;
  }

  /** Computes the whole step by its function. */
  #call(step: CapturedStep): void {
    const { fn } = step;
    const uploaded = new Map(fn.uploads.map((k) => [k, this.#upload(k)]));
    const ids = [...uploaded.values(), ...fn.externals.map((e) => this.#trace.externals[e]!.id)];
    let made: Metadata;
    try {
      made = measured(() => this.#binding.executeOp(fn.name, fn.attrs, ids, fn.outputs.length));
    } catch (error) {
      for (const id of uploaded.values()) this.#binding.deleteTensor(id);
      this.#fault = error instanceof Error ? error.message : String(error);
      // Op by op the step may still succeed, for instance with less memory; otherwise the op and its layer are named.
      this.#compute();
      this.#close();
      return;
    }
    this.#close();
    const results = new Map(fn.outputs.map((index, i) => [index, made[i]!.id]));
    for (const [id, entry] of this.#entries) {
      const source = sourceOf(this.#refOf(id));
      if ("made" in source) {
        this.#settle(entry, results.get(source.made)!);
        results.delete(source.made);
      } else if ("upload" in source) {
        this.#settle(entry, uploaded.get(source.upload) ?? this.#upload(source.upload));
        uploaded.delete(source.upload);
      }
    }
    for (const id of [...results.values(), ...uploaded.values()]) this.#binding.deleteTensor(id);
    this.#entries.clear();
    this.#release();
  }

  #upload(k: number): number {
    const { shape, dtype, values } = this.#trace.uploads[k]!;
    return this.#binding.createTensor([...shape], dtype, values as never);
  }

  #settle(entry: NativeData, id: number): void {
    entry.id = id;
    const memory = allocationOf(id);
    if (memory) memory.cause ??= (entry as { cause?: typeof memory.cause }).cause;
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
      const settle = (pending: number, id: number, ref: Ref) => {
        this.#refs.set(id, ref);
        const entry = this.#entries.get(pending);
        if (entry) this.#settle(entry, id);
        this.#computed.set(pending, id);
        if (this.#dead.has(pending)) this.#binding.deleteTensor(id);
      };
      real.forEach((id, i) => {
        settle(this.#pending.ofMade(i), id, madeRef(i));
      });
      uploads.forEach((id, k) => {
        settle(this.#pending.ofUpload(k), id, uploadRef(k));
      });
      this.#entries.clear();
      this.#release();
    }
  }

  #release(): void {
    for (const id of this.#freed.splice(0)) this.#binding.deleteTensor(id);
  }

  #abandon(reason: string): void {
    this.#refused ??= reason;
    if (this.#following) this.#compute();
  }
}
