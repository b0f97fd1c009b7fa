import { formatBytes } from "../base/bytes.ts";
import { type Displayable, displaySymbol, mimeBundle, table } from "../display/index.ts";
import { begin, nativeMemory, tf } from "../runtime/index.ts";

/** The process's memory at one moment, in bytes. */
export interface MemoryProbe extends Displayable {
  /** Milliseconds since the process started. */
  at: number;
  /** Resident set size: all memory of the process, as the operating system counts it. */
  rss: number;
  /** Bytes of JavaScript objects. */
  heapUsed: number;
  /** Bytes of native tensors. */
  nativeLive: number;
  /** The largest `nativeLive` since the last `resetPeak()`. */
  nativePeak: number;
  /** Number of tensors that JavaScript can reach; several may share one native tensor. */
  tensors: number;
}

/** Measures the process's memory now. A notebook shows it as a table. */
export function memoryProbe(): MemoryProbe {
  const { rss, heapUsed } = process.memoryUsage();
  const { live, peak } = nativeMemory();
  const figures = {
    at: performance.now(),
    rss,
    heapUsed,
    nativeLive: live,
    nativePeak: peak,
    tensors: tf.memory().numTensors,
  };
  return Object.defineProperty(figures as MemoryProbe, displaySymbol, {
    enumerable: false,
    value: () =>
      mimeBundle(
        table([
          { memory: "process (RSS)", held: formatBytes(rss) },
          { memory: "JavaScript heap", held: formatBytes(heapUsed) },
          { memory: "tensors, now", held: formatBytes(live) },
          { memory: "tensors, peak", held: formatBytes(peak) },
          { memory: "number of tensors", held: String(figures.tensors) },
        ]),
      ),
  });
}

/** Probes taken at an interval, until it is disposed or its cell is interrupted. */
export interface MemorySampler extends Disposable {
  samples: MemoryProbe[];
  stop(): void;
}

/**
 * Takes a probe now and every `every` milliseconds (50 by default) while the event loop is free. With `using` it stops at the
 * end of the block.
 *
 * @throws RangeError when `every` is not positive
 */
export function sampleMemory({ every = 50 }: { every?: number } = {}): MemorySampler {
  if (!(every > 0)) throw new RangeError(`every must be a positive number of milliseconds, got ${every}`);
  const samples = [memoryProbe()];
  let timer: NodeJS.Timeout | undefined;
  const { end, awaits } = begin(
    () => {
      timer = setInterval(() => samples.push(memoryProbe()), every).unref();
    },
    () => clearInterval(timer),
  );
  awaits();
  return { samples, stop: end, [Symbol.dispose]: end };
}
