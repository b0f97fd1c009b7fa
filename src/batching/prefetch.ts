import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { PaddingOptions } from "./assemble.ts";
import type { Batch } from "./batch.ts";
import type { Batches } from "./batches.ts";
import { featureWidth, withFeatures } from "./features.ts";
import type { PlannedBatch } from "./plan.ts";
import { tokensOf } from "./sequences.ts";

/** What the worker needs to lay batches out: all tokens end to end, in memory that both sides share. */
export interface PrefetchSource {
  tokens: Int32Array;
  /** Where each sequence begins in `tokens`, and where the last one ends. */
  starts: Int32Array;
  /** Tokens that the plan keeps of each. */
  kept: Int32Array;
  labels: Float32Array | undefined;
  padding: PaddingOptions;
  /** Counts the answers, so that the main thread can wait for one. */
  answers: Int32Array;
}

export interface PrefetchRequest {
  run: number;
  planned: PlannedBatch;
}

export type PrefetchAnswer = { run: number } & ({ batch: Batch } | { error: Error });

export interface PrefetchedBatches extends Batches, Disposable {}

/** How long one batch may take before the worker counts as dead. */
const PATIENCE = 60_000;

/**
 * The same batches, each laid out by a worker thread while the step before it runs: the arrays change hands, nothing is copied. The
 * tokens are copied once into shared memory. Dispose of it to end the worker; it does not keep the process alive.
 *
 * It pays where making a batch is a noticeable share of a step (`times.data` in the training's history). Padding token ids is
 * not: 32 rows of 256 take 0.16 ms here and 0.18 ms with the worker, beside hundreds in the step (bench/prefetch).
 */
export function prefetch(batches: Batches, { ahead = 2 }: { ahead?: number } = {}): PrefetchedBatches {
  if (!Number.isInteger(ahead) || ahead < 1) throw new RangeError(`ahead must be a positive integer, got ${ahead}`);
  const { plan, source } = batches;
  const width = featureWidth(source.sequences);
  const answers = new Int32Array(new SharedArrayBuffer(4));
  // The flags of this process may be none for a worker, for instance --input-type.
  const worker = new Worker(new URL("./prefetch-worker.js", import.meta.url), { execArgv: [] });
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ port: port2, source: shared(batches, answers) }, [port2]);
  worker.unref();
  port.unref();
  let run = 0;
  let ended = false;

  function receive(own: number): Batch {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const before = Atomics.load(answers, 0);
      const received = receiveMessageOnPort(port);
      if (received) {
        const answer = received.message as PrefetchAnswer;
        if (answer.run !== own) continue;
        if ("error" in answer) throw answer.error;
        return answer.batch;
      }
      if (performance.now() > deadline)
        throw new Error("the prefetching worker does not answer: it may be out of memory");
      Atomics.wait(answers, 0, before, 1000);
    }
  }

  function* epoch(index: number, from = 0): Generator<Batch> {
    if (ended) throw new Error("these prefetched batches are disposed of: call prefetch again");
    const planned = plan.epoch(index);
    const own = ++run;
    const ask = (b: number) => {
      if (b < planned.length) port.postMessage({ run: own, planned: planned[b]! } satisfies PrefetchRequest);
    };
    for (let b = from; b < from + ahead; b++) ask(b);
    for (let b = from; b < planned.length; b++) {
      const batch = receive(own);
      ask(b + ahead);
      yield withFeatures(batch, source.sequences, width, source.padding);
    }
  }
  const dispose = () => {
    ended = true;
    port.close();
    void worker.terminate();
  };
  return { ...batches, epoch, [Symbol.iterator]: () => epoch(0), [Symbol.dispose]: dispose };
}

function shared({ source: { sequences, labels, padding }, plan }: Batches, answers: Int32Array): PrefetchSource {
  const starts = new Int32Array(new SharedArrayBuffer(4 * (sequences.length + 1)));
  sequences.forEach((sequence, i) => {
    starts[i + 1] = starts[i]! + tokensOf(sequence).length;
  });
  const tokens = new Int32Array(new SharedArrayBuffer(4 * starts.at(-1)!));
  sequences.forEach((sequence, i) => {
    tokens.set(tokensOf(sequence), starts[i]!);
  });
  const { truncate, paddingValue, side } = padding;
  return {
    ...{ tokens, starts, labels, answers, kept: plan.lengths },
    padding: {
      ...(truncate === undefined ? {} : { truncate }),
      ...(paddingValue === undefined ? {} : { paddingValue }),
      ...(side === undefined ? {} : { side }),
    },
  };
}
