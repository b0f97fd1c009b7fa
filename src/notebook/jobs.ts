import { availableParallelism } from "node:os";
import { findGpu } from "../runtime/machine.ts";

const GIB = 2 ** 30;
/** The memory that a training notebook may need, including TensorFlow, the type checker and the notebook's own memory budget. */
const MEMORY_PER_NOTEBOOK = 3 * GIB;

export interface Machine {
  cores: number;
  /** The bytes that this process may still allocate. */
  memory: number;
  gpu: boolean;
}

export function thisMachine(): Machine {
  return { cores: availableParallelism(), memory: process.availableMemory(), gpu: findGpu() !== undefined };
}

/**
 * How many of `count` notebooks run at once: two if each has a core and 3 GiB, otherwise one. A GPU is never shared, because two
 * notebooks would compete for its memory and disturb each other's timings.
 */
export function jobsFor(count: number, { cores, memory, gpu }: Machine): number {
  const memoryLimit = Math.floor(memory / MEMORY_PER_NOTEBOOK);
  return gpu ? 1 : Math.max(1, Math.min(2, count, cores, memoryLimit));
}

/** The environment of one of `jobs` notebooks: its share of the cores, unless the user's environment sets the number of threads. */
export function environmentFor(jobs: number, { cores }: Machine): NodeJS.ProcessEnv {
  const share = jobs === 1 ? {} : { TF_NUM_INTRAOP_THREADS: String(Math.max(1, Math.floor(cores / jobs))) };
  return { ...share, ...process.env };
}

/** Runs `work` for each item in order, at most `jobs` at a time. The results have the items' order. */
export async function inTurns<Item, Result>(
  jobs: number,
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]!, at);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}
