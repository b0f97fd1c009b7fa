import { availableParallelism } from "node:os";
import { findGpu } from "../runtime/machine.ts";

const GIB = 2 ** 30;
/** What a training notebook may need, TensorFlow, the type checker and a budget of its own included. */
const MEMORY_EACH = 3 * GIB;

export interface Machine {
  cores: number;
  /** Bytes that this process may still take. */
  memory: number;
  gpu: boolean;
}

export function thisMachine(): Machine {
  return { cores: availableParallelism(), memory: process.availableMemory(), gpu: findGpu() !== undefined };
}

/**
 * How many of `count` notebooks run side by side: two where each has a core and 3 GiB, else one. A GPU is never shared:
 * its memory is one notebook's, and so are the times that it measures.
 */
export function jobsFor(count: number, { cores, memory, gpu }: Machine): number {
  const room = Math.floor(memory / MEMORY_EACH);
  return gpu ? 1 : Math.max(1, Math.min(2, count, cores, room));
}

/** The environment of one of `jobs` notebooks: its share of the cores, unless the person has said how many. */
export function environmentFor(jobs: number, { cores }: Machine): NodeJS.ProcessEnv {
  const share = jobs === 1 ? {} : { TF_NUM_INTRAOP_THREADS: String(Math.max(1, Math.floor(cores / jobs))) };
  return { ...share, ...process.env };
}

/** Does `work` for each item in order, at most `jobs` at a time; results stand in the items' order. */
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
