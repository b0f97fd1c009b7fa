/**
 * Processor time of matrix products by this library's kernel and by TensorFlow's, in turns, with the ratio of the two.
 *
 *     npm run build && node dist/bench/products.js [float32 | bfloat16 | float16]
 */
import { ready, runtimeInfo, type Storage, setKernels, tf, to } from "../src/index.ts";

/** Rows, depth, columns, and which operands are stored transposed. */
const products: readonly (readonly [number, number, number, string?])[] = [
  [4, 4, 4],
  [32, 64, 64],
  [64, 32, 64, "a"],
  [2048, 64, 64],
  [2048, 64, 64, "b"],
  [64, 2048, 64, "a"],
  [2048, 64, 256],
  [2048, 256, 64],
  [64, 2048, 256, "a"],
  [2048, 64, 10],
  [4096, 128, 512],
  [4096, 512, 128, "b"],
  [128, 4096, 512, "a"],
  [1024, 1024, 1024],
  [4096, 768, 768],
  [1, 768, 3072],
  [1, 768, 768, "b"],
  [1, 768, 50257, "b"],
  [16, 768, 768],
];
const ROUNDS = 12;
/** Multiplications between two readings of the clock, about. */
const ENOUGH = 1e8;

await ready();
const { backend, version, threads, kernels } = runtimeInfo();
if (kernels !== "fused") throw new Error(`${backend} has no kernels of this library: there is nothing to compare`);
const storage = (process.argv[2] ?? "float32") as Storage;
console.log(`${backend} ${version}, ${threads} threads, ${storage}; microseconds of all threads`);
for (const [rows, depth, columns, stored = ""] of products) {
  const [transposesA, transposesB] = [stored.includes("a"), stored.includes("b")];
  const a = to(tf.randomNormal(transposesA ? [depth, rows] : [rows, depth]), storage);
  const b = to(tf.randomNormal(transposesB ? [columns, depth] : [depth, columns]), storage);
  const repeats = Math.max(1, Math.round(ENOUGH / (rows * depth * columns + 1e5)));
  const fastest = { fused: Infinity, separate: Infinity };
  for (let round = 0; round < ROUNDS; round++)
    for (const use of ["fused", "separate"] as const) {
      setKernels(use);
      const before = process.cpuUsage();
      for (let i = 0; i < repeats; i++) tf.matMul(a, b, transposesA, transposesB).dispose();
      const { user, system } = process.cpuUsage(before);
      fastest[use] = Math.min(fastest[use], (user + system) / repeats);
    }
  const name = `[${rows}, ${depth}]${transposesA ? "ᵀ" : ""} by [${depth}, ${columns}]${transposesB ? "ᵀ" : ""}`;
  const figures = `${fastest.fused.toFixed(1).padStart(10)} TensorFlow ${fastest.separate.toFixed(1).padStart(10)}`;
  console.log(`${name.padEnd(30)} ${figures}   ratio ${(fastest.fused / fastest.separate).toFixed(2)}`);
  tf.dispose([a, b]);
}
