import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { allocationOf } from "../../allocation-tracker.ts";
import type { NativeData } from "../../tfjs/backend.ts";
import { isPending, PendingNumbers } from "./pending.ts";
import { type Ref, sourceOf } from "./trace.ts";

/**
 * The tensors of a run that only compares its ops with a captured step: those that are not computed yet, and those from before that
 * the step has freed, but whose values the function may still need.
 */
export class PendingTensors {
  readonly #binding: Pick<TFJSBinding, "deleteTensor">;
  readonly #numbers = new PendingNumbers();
  /** The records of tensors that are not computed yet. */
  readonly #entries = new Map<number, NativeData>();
  readonly #freed: number[] = [];
  /** TensorFlow's numbers of tensors that were pending. */
  readonly #computed = new Map<number, number>();
  readonly #dead = new Set<number>();

  constructor(binding: Pick<TFJSBinding, "deleteTensor">) {
    this.#binding = binding;
  }

  readonly nextMade = (): number => this.#numbers.nextMade();
  readonly nextUpload = (): number => this.#numbers.nextUpload();
  readonly refOf = (id: number): Ref => this.#numbers.refOf(id);
  readonly has = (id: number): boolean => this.#entries.has(id);

  /** TensorFlow's number of a tensor, once it is computed. */
  readonly realOf = (id: number): number => this.#computed.get(id) ?? id;

  /** Whether a tensor has a value only at the end. */
  readonly isUnknown = (id: number): boolean => isPending(id) && !this.#computed.has(id);

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Notes the record of a tensor that is not computed yet. */
  note(entry: NativeData): void {
    if (isPending(entry.id)) this.#entries.set(entry.id, entry);
  }

  /** Where the tensors that are still in use come from. */
  *sources() {
    for (const id of this.#entries.keys()) yield sourceOf(this.refOf(id));
  }

  delete(id: number, isFollowing: boolean): void {
    this.#entries.delete(id);
    const computed = this.#computed.get(id);
    if (computed !== undefined) this.#binding.deleteTensor(computed);
    else if (isPending(id)) this.#dead.add(id);
    else if (isFollowing) this.#freed.push(id);
    else this.#binding.deleteTensor(id);
  }

  /** The function has run: `take` gives the number of the tensor of a source. */
  settle(take: (source: ReturnType<typeof sourceOf>) => number | undefined): void {
    for (const [id, entry] of this.#entries) {
      const real = take(sourceOf(this.refOf(id)));
      if (real !== undefined) settled(entry, real);
    }
    this.#entries.clear();
    this.release();
  }

  /** The ops have run: by number of a result and of an upload, the numbers of the tensors. */
  computed(made: readonly number[], uploads: readonly number[]): void {
    const compute = (pending: number, id: number) => {
      const entry = this.#entries.get(pending);
      if (entry) settled(entry, id);
      this.#computed.set(pending, id);
      if (this.#dead.has(pending)) this.#binding.deleteTensor(id);
    };
    made.forEach((id, i) => {
      compute(this.#numbers.ofMade(i), id);
    });
    uploads.forEach((id, k) => {
      compute(this.#numbers.ofUpload(k), id);
    });
    this.#entries.clear();
    this.release();
  }

  /** Frees the tensors from before that the step has freed. */
  release(): void {
    for (const id of this.#freed.splice(0)) this.#binding.deleteTensor(id);
  }
}

function settled(entry: NativeData, id: number): void {
  entry.id = id;
  const memory = allocationOf(id);
  if (memory) memory.cause ??= (entry as { cause?: typeof memory.cause }).cause;
}
