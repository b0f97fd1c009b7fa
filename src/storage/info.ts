import { isNative, runtimeInfo, tf } from "../runtime/index.ts";
import { type ProductTimes, productTimes } from "./product-times.ts";

/** What half precision is worth on this machine. */
export interface HalfPrecision {
  /** True where numbers are rounded to half precision but stored as float32. */
  emulated: boolean;
  /** The type to use: the one with the faster matrix products, and bfloat16, which needs no loss scaling, where they are alike. */
  type: "float16" | "bfloat16";
  /** Time of a matrix product in that type by its time in float32, as measured here; undefined where it is emulated. */
  timeRatio: number | undefined;
  /** Whether matrix products in that type take less time here, and not only less memory. */
  savesTime: boolean;
  /** The result of the measurement, as a sentence. */
  reason: string;
}

/**
 * Which half type to use on this machine, and whether it saves time or only memory. The first call measures a matrix product in
 * each type, in less than a second; later calls have the same answer.
 */
export function halfPrecision(): HalfPrecision {
  if (!isNative()) {
    const name = tf.getBackend() === "wasm" ? "WebAssembly" : `tfjs' ${tf.getBackend()} backend`;
    return {
      emulated: true,
      type: "bfloat16",
      timeRatio: undefined,
      savesTime: false,
      reason: `${name} has no half precision: inputs and results are rounded to float16 or bfloat16 and stored as float32, which shows the errors but saves neither memory nor time; float64 is float32`,
    };
  }
  const { device, gpu } = runtimeInfo();
  return chooseHalf(productTimes(), device === "gpu" ? (gpu ?? "this GPU") : "this CPU");
}

/** Differences within this share are taken for noise of the measurement. */
const NOISE = 0.1;

/** The answer for a device with these times. */
export function chooseHalf(times: ProductTimes, device: string): HalfPrecision {
  const ratios = { float16: times.float16 / times.float32, bfloat16: times.bfloat16 / times.float32 };
  const type = ratios.float16 < (1 - NOISE) * ratios.bfloat16 ? "float16" : "bfloat16";
  const other = type === "float16" ? "bfloat16" : "float16";
  const timeRatio = ratios[type];
  const savesTime = timeRatio < 1 - NOISE;
  const saves = savesTime ? "and time" : "but no time";
  const theOther = Number.isFinite(ratios[other])
    ? `in ${other} ${ratios[other].toFixed(2)} times`
    : `none in ${other}`;
  const reason = `${type} saves memory on ${device}, ${saves} in matrix products: one takes ${timeRatio.toFixed(2)} times as long as in float32, ${theOther}`;
  return { emulated: false, type, timeRatio, savesTime, reason };
}
