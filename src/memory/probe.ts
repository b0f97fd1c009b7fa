import { formatBytes } from "../base/bytes.ts";
import { type Displayable, displaySymbol, mimeBundle, table } from "../display/index.ts";
import { begin, nativeMemory, tf } from "../runtime/index.ts";

/** Where the process's memory is, in bytes, at one moment. */
export interface MemoryProbe extends Displayable {
  /** Milliseconds since the process started. */
  at: number;
  /** All memory that the process holds, as the operating system counts it. */
  rss: number;
  /** JavaScript objects. */
  heapUsed: number;
  /** Tensors held by TensorFlow. */
  nativeLive: number;
  /** Most that `nativeLive` was since the last `resetPeak()`. */
  nativePeak: number;
  /** Tensors that JavaScript can reach; several may share one native tensor. */
  tensors: number;
}

/** Looks at the memory now. As a cell's value it shows as a table in readable units. */
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

/** Probes taken one after another; stops when disposed, and when its cell is interrupted. */
export interface MemorySampler extends Disposable {
  samples: MemoryProbe[];
  stop(): void;
}

/**
 * Takes a probe now and then every `every` milliseconds, whenever the event loop is free: `using` it stops it at the end
 * of the block.
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
