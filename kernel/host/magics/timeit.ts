import { performance } from "node:perf_hooks";
import { duration } from "./duration.ts";

const RUNS = 7;
/** The minimum duration of a run, as in IPython. The statement is repeated until it is reached. */
const SHORTEST_RUN_MS = 200;

export async function timeit(run: () => unknown): Promise<void> {
  let loops = 1;
  while ((await measure(run, loops)) < SHORTEST_RUN_MS && loops < 1e9) loops *= 10;
  const each: number[] = [];
  for (let index = 0; index < RUNS; index++) each.push((await measure(run, loops)) / loops);
  const mean = each.reduce((sum, value) => sum + value, 0) / RUNS;
  const deviation = Math.sqrt(each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / RUNS);
  const count = `${RUNS} runs, ${loops.toLocaleString("en")} ${loops === 1 ? "loop" : "loops"} each`;
  console.log(`${duration(mean)} ± ${duration(deviation)} per loop (mean ± standard deviation of ${count})`);
}

async function measure(run: () => unknown, loops: number): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < loops; index++) {
    const value = run();
    if (value instanceof Promise) await value;
  }
  return performance.now() - start;
}
