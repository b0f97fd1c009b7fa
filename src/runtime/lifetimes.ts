import type { MemoryCategory } from "./allocation-tracker.ts";
import type { FinalizationQueue } from "./finalizer-addon.ts";
import { type GcPolicy, gcScheduler } from "./gc-scheduler.ts";
import type { DataStorage, TensorData } from "./tfjs/backend.ts";
import type { EngineCounts } from "./tfjs/engine.ts";
import * as hooks from "./tfjs/hooks.ts";

/** What we note beside a tensor's data. */
export interface Noted {
  /** By which it is found when its `dataId` has died. */
  key?: number;
  /** Bytes of its strings, where tfjs counts them. */
  textBytes?: number;
  /** What it is for. Kept here because data that no op has used yet has no native memory. */
  cause?: MemoryCategory;
}

export interface Backing<Data extends TensorData & Noted> {
  storage: DataStorage<Data>;
  counts(): EngineCounts;
  /** Gives the native memory back. */
  free(data: Data): void;
  /** What tfjs counts for one tensor of this data that is no text. */
  tfjsBytes(data: Data): number;
  isText(data: Data): boolean;
  /** The strings that JavaScript gave, as UTF-8; tfjs does not count those that an op made. */
  texts(data: Data): readonly Uint8Array[] | null | undefined;
  deaths: FinalizationQueue;
}

export interface Lifetimes<Data extends TensorData & Noted> {
  /** To be called before each op, while the op's inputs are held by the caller. */
  beforeOp(): void;
  /** Collects all garbage now and frees the tensors in it. */
  collect(): void;
  dataOf(dataId: object): Data | undefined;
  /** All data that was neither disposed nor freed. */
  all(): Iterable<Data>;
}

/**
 * Frees a tensor's native memory when JavaScript can no longer reach it, so that nobody has to call `dispose` or `tidy`.
 *
 * The `dataId` object is what is watched: every `tf.Tensor`, clone, variable, tape node and kernel argument that can
 * still use the data holds it, so its death is the proof that nothing can. The finalizer only notes the death. The data
 * is freed at the start of a later op and never within one: V8 may take an input's object for dead as soon as the op has
 * its number.
 *
 * Costs 0.3 to 0.5 us a tensor. Late by up to a quarter of the live memory or 64 MB (see gc-scheduler.ts), and while V8 has not
 * looked: what a clone that was dropped without `dispose` shares lives until both are dead.
 */
export function manageLifetimes<Data extends TensorData & Noted>(
  backing: Backing<Data>,
  held: () => number,
): Lifetimes<Data> {
  const { storage, deaths } = backing;
  const { waiting } = deaths;
  const alive = new Map<number, Data>();
  let next = 0;

  hooks.created.subscribe("lifetimes", (dataId, created) => {
    const data = created as Data;
    next = (next + 1) >>> 0;
    data.key = next;
    if (backing.isText(data)) data.textBytes = backing.texts(data)?.reduce((sum, text) => sum + text.length, 0) ?? 0;
    alive.set(next, data);
    deaths.watch(dataId, next);
  });
  hooks.disposed.subscribe("lifetimes", (data) => {
    const key = (data as Data | undefined)?.key;
    if (key !== undefined) alive.delete(key);
  });

  // Kept outside of the function: a cell that is stopped in the middle must not lose what is left to free.
  let keys: ArrayLike<number> = [];
  let at = 0;
  const bury = (): void => {
    if (at >= keys.length) {
      keys = deaths.take();
      at = 0;
    }
    while (at < keys.length) {
      const key = keys[at++]!;
      const data = alive.get(key);
      // Disposed before it died.
      if (!data) continue;
      alive.delete(key);
      storage.dataIdsCount--;
      const counts = backing.counts();
      counts.numTensors -= data.refCount;
      counts.numDataBuffers--;
      counts.numBytes -= data.textBytes ?? data.refCount * backing.tfjsBytes(data);
      if (data.textBytes !== undefined) counts.numStringTensors -= data.refCount;
      backing.free(data);
    }
  };

  // A program's small tensors weigh more than their numbers: about a kilobyte of handles and objects each.
  const pace: GcPolicy = gcScheduler(() => held() + 1024 * alive.size, bury);
  return {
    beforeOp() {
      if (waiting[0] !== 0 || at < keys.length) bury();
      pace.beforeOp();
    },
    collect: pace.collect,
    dataOf: (dataId) => storage.data.get(dataId),
    all: () => alive.values(),
  };
}
