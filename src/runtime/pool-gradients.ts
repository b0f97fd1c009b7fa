// The gradients of the gradients of pools, which tfjs lacks: those of the kernels AvgPoolGrad and MaxPoolGrad, which are linear in
// `dy`. In `input` and `output` they are constant, except where two elements of a window are equal.
import type { GradFunc, Tensor, Tensor4D } from "@tensorflow/tfjs-node-gpu";
import { engineOf, type Tfjs, unrecorded } from "./tfjs/engine.ts";
import { undoBy } from "./tfjs/undo.ts";

/** The attributes of tfjs' pools. */
export interface Pool {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: "same" | "valid" | number;
}

type PoolInfo = ReturnType<Tfjs["backend_util"]["computePool2DInfo"]>;

/** Registers the gradients of tfjs' kernels AvgPoolGrad and MaxPoolGrad. */
export function addPoolGradients(tf: Tfjs): void {
  const register = (
    kernelName: string,
    inputsToSave: string[],
    gradient: (g: Tensor4D, kept: Tensor4D[], pool: Pool) => Tensor,
  ) => {
    undoBy(() => tf.unregisterGradient(kernelName));
    tf.registerGradient({
      kernelName,
      inputsToSave,
      gradFunc: ((g: Tensor4D, kept: Tensor4D[], attrs: Pool) => ({
        dy: () => gradient(g, kept, attrs),
        input: () => tf.zerosLike(kept[0]!),
        output: () => tf.zerosLike(kept[1]!),
      })) as unknown as GradFunc,
    });
  };
  register("AvgPoolGrad", ["input"], (g, _, { filterSize, strides, pad }) => tf.avgPool(g, filterSize, strides, pad));
  register("MaxPoolGrad", ["input", "output"], (g, [x, y], { filterSize, strides, pad }) => {
    const info = tf.backend_util.computePool2DInfo(x!.shape, filterSize, strides, 1, pad);
    const places = unrecorded(engineOf(tf), () => tf.tidy(() => placesOfLargest(tf, x!, y!, info)));
    return tf.gather(tf.reshape(g, [g.size]), places);
  });
}

/** Where in the flattened images the largest element of each window is, the first one where several are equal: int32 as `y`. */
function placesOfLargest(tf: Tfjs, x: Tensor4D, y: Tensor4D, info: PoolInfo): Tensor {
  const { filterHeight, filterWidth, strideHeight, strideWidth, outHeight, outWidth } = info;
  const { batchSize, inWidth, inChannels, padInfo } = info;
  const { top, bottom, left, right } = padInfo;
  const borders: [number, number][] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  // NaN is equal to nothing, so that no place lies in the padding.
  const padded = tf.pad(x, borders, Number.NaN);
  const corners = tf.tensor(cornersOf(info), y.shape, "int32");
  let places: Tensor = corners;
  // From the last element to the first, so that the first of equal ones remains.
  for (let row = filterHeight - 1; row >= 0; row--)
    for (let column = filterWidth - 1; column >= 0; column--) {
      const end = [row + outHeight * strideHeight, column + outWidth * strideWidth];
      const begin = [0, row, column, 0];
      const seen = tf.stridedSlice(padded, begin, [batchSize, ...end, inChannels], [1, strideHeight, strideWidth, 1]);
      const place = tf.add(corners, tf.scalar((row * inWidth + column) * inChannels, "int32"));
      places = tf.where(tf.equal(seen, y), place, places);
    }
  // The corner of a window that has no largest element, because all are NaN, may lie outside.
  return tf.maximum(places, tf.scalar(0, "int32"));
}

/** Where the first element of each window lies in the flattened images. */
function cornersOf(info: PoolInfo): Int32Array {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  const corners = new Int32Array(batchSize * outHeight * outWidth * inChannels);
  let i = 0;
  for (let image = 0; image < batchSize; image++)
    for (let row = 0; row < outHeight; row++)
      for (let column = 0; column < outWidth; column++) {
        const [y, x] = [row * strideHeight - padInfo.top, column * strideWidth - padInfo.left];
        const corner = ((image * inHeight + y) * inWidth + x) * inChannels;
        for (let channel = 0; channel < inChannels; channel++) corners[i++] = corner + channel;
      }
  return corners;
}
