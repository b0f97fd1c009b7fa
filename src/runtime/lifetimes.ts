import type { MemoryCategory } from "./allocation-tracker.ts";
import type { FinalizationQueue } from "./finalizer-addon.ts";
import { type GcPolicy, gcScheduler } from "./gc-scheduler.ts";
import type { DataStorage, TensorData } from "./tfjs/backend.ts";
import type { EngineCounts } from "./tfjs/engine.ts";
import * as hooks from "./tfjs/hooks.ts";

/** Information stored together with a tensor's data. */
export interface Noted {
  /** The key that finds the data after its `dataId` was collected. */
  key?: number;
  /** Bytes of its strings, if tfjs counts them. */
  textBytes?: number;
  /** The purpose of the memory. Stored here because data has no native memory before its first use by an op. */
  cause?: MemoryCategory;
}

export interface Backing<Data extends TensorData & Noted> {
  storage: DataStorage<Data>;
  counts(): EngineCounts;
  /** Frees the native memory. */
  free(data: Data): void;
  /** The bytes that tfjs counts for one tensor of this data, if it is not text. */
  tfjsBytes(data: Data): number;
  isText(data: Data): boolean;
  /** The strings given by JavaScript, as UTF-8. tfjs does not count strings made by an op. */
  texts(data: Data): readonly Uint8Array[] | null | undefined;
  queue: FinalizationQueue;
}

export interface Lifetimes<Data extends TensorData & Noted> {
  /** Must be called before each op, while the caller holds the op's inputs. */
  beforeOp(): void;
  /** Collects all garbage now and frees the tensors in it. */
  collect(): void;
  dataOf(dataId: object): Data | undefined;
  /** All data that is neither disposed nor freed. */
  all(): Iterable<Data>;
}

/**
 * Frees a tensor's native memory when JavaScript can no longer reach it, so that nobody has to call `dispose` or `tidy`.
 *
 * The `dataId` object is watched. Every `tf.Tensor`, clone, variable, tape node and kernel argument that can still use the data
 * refers to it, so when it is collected nothing can use the data. The finalizer only records the key. The data is freed at the
 * start of a later op and never inside one, because V8 may collect an input's object as soon as the op has its number.
 *
 * Memory is freed only after V8 has collected the object: the delay is up to a quarter of the live memory or 64 MB (see
 * gc-scheduler.ts). Data shared by a clone that was dropped without `dispose` lives until both tensors are collected.
 */
export function manageLifetimes<Data extends TensorData & Noted>(
  backing: Backing<Data>,
  held: () => number,
): Lifetimes<Data> {
  const { storage, queue } = backing;
  const { waiting } = queue;
  const alive = new Map<number, Data>();
  let next = 0;

  hooks.created.subscribe("lifetimes", (dataId, created) => {
    const data = created as Data;
    next = (next + 1) >>> 0;
    data.key = next;
    if (backing.isText(data)) data.textBytes = backing.texts(data)?.reduce((sum, text) => sum + text.length, 0) ?? 0;
    alive.set(next, data);
    queue.watch(dataId, next);
  });
  hooks.disposed.subscribe("lifetimes", (data) => {
    const key = (data as Data | undefined)?.key;
    if (key !== undefined) alive.delete(key);
  });

  // Declared outside the function, so that a cell stopped in the middle does not lose the keys that are still to be freed.
  let keys: ArrayLike<number> = [];
  let at = 0;
  const freeCollected = (): void => {
    if (at >= keys.length) {
      keys = queue.take();
      at = 0;
    }
    while (at < keys.length) {
      const key = keys[at++]!;
      const data = alive.get(key);
      // Disposed before it was collected.
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

  // A small tensor takes more memory than its elements: about a kilobyte of handles and objects.
  const scheduler: GcPolicy = gcScheduler(() => held() + 1024 * alive.size, freeCollected);
  return {
    beforeOp() {
      if (waiting[0] !== 0 || at < keys.length) freeCollected();
      scheduler.beforeOp();
    },
    collect: scheduler.collect,
    dataOf: (dataId) => storage.data.get(dataId),
    all: () => alive.values(),
  };
}
