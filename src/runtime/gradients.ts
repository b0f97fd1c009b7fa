// Replaces gradients of tfjs that are wrong at kinks, ties and zeros, or that do not sum over broadcast axes. The replacements
// agree with PyTorch (torch/csrc/autograd/FunctionsManual.cpp).
import type { GradFunc, NamedAttrMap, Tensor } from "@tensorflow/tfjs-node-gpu";
import { scalarValues } from "./native/backend.ts";
import { engineOf, type Tfjs, unrecorded } from "./tfjs/engine.ts";
import { replaceGradient } from "./tfjs/kernels.ts";

interface Rule {
  /** The arguments of the backward pass: the inputs by name, then the output. */
  keep: { inputs?: string[]; output?: boolean };
  /** The gradient of each input. */
  gradient: (dy: Tensor, kept: Tensor[], attrs: NamedAttrMap) => Record<string, () => Tensor>;
}

/** Replaces tfjs' gradients by these rules, for tfjs' functions and for ours. */
export function correctGradients(tfjs: Tfjs): void {
  const own = tfjs.getGradient("BatchMatMul");
  for (const [kernelName, { keep, gradient }] of Object.entries(rules(tfjs, own.gradFunc))) {
    replaceGradient(tfjs, kernelName, () => ({
      ...(keep.inputs && { inputsToSave: keep.inputs }),
      ...(keep.output && { outputsToSave: [true] }),
      gradFunc: ((dy: Tensor, kept: Tensor[], attrs: NamedAttrMap) => gradient(dy, kept, attrs)) as unknown as GradFunc,
    }));
  }
}

function rules(tf: Tfjs, batchMatMul: GradFunc): Record<string, Rule> {
  const float = (x: Tensor) => tf.cast(x, "float32");
  /** Not recorded, because the gradient of a comparison is 0 and tfjs defines none. */
  const constant = (f: () => Tensor): Tensor => unrecorded(engineOf(tf), f);
  const sumTo = (x: Tensor, shape: number[]) => summedTo(tf, x, shape);

  /** 1 where the result is `a`, 1/2 where the two are equal. Where either is NaN, both get the gradient. */
  const pick = (loses: (a: Tensor, b: Tensor) => Tensor): Rule => ({
    keep: { inputs: ["a", "b"] },
    gradient: (dy, [a, b]) => {
      const part = (x: Tensor, y: Tensor) => {
        const lost = constant(() => tf.add(float(loses(x, y)), tf.mul(float(tf.equal(x, y)), 0.5)));
        return sumTo(tf.sub(dy, tf.mul(dy, lost)), x.shape);
      };
      return { a: () => part(a!, b!), b: () => part(b!, a!) };
    },
  });

  /** Equal extremes share the gradient. */
  const extreme = (axesOf: (attrs: NamedAttrMap) => unknown): Rule => ({
    keep: { inputs: ["x"], output: true },
    gradient: (dy, [x, y], attrs) => ({
      x: () => {
        const over = tf.util.parseAxisParam(axesOf(attrs) as number[], x!.shape);
        const shape = x!.shape.map((size, axis) => (over.includes(axis) ? 1 : size));
        const chosen = constant(() => float(tf.equal(x!, tf.reshape(y!, shape))));
        const ties = constant(() => tf.sum(chosen, over, true));
        return tf.mul(chosen, tf.div(tf.reshape(dy, shape), ties));
      },
    }),
  });

  return {
    Abs: { keep: { inputs: ["x"] }, gradient: (dy, [x]) => ({ x: () => tf.mul(dy, tf.sign(float(x!))) }) },
    Erf: {
      keep: { inputs: ["x"] },
      gradient: (dy, [x]) => {
        // tfjs makes its number a float32 also for doubles.
        const slope = tf.engine().makeTensor(scalarValues(2 / Math.sqrt(Math.PI)), [], "float32");
        return { x: () => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(float(x!)))), slope)) };
      },
    },
    Rsqrt: {
      keep: { output: true },
      gradient: (dy, [y]) => ({ x: () => tf.mul(tf.mul(dy, -0.5), tf.mul(y!, tf.square(y!))) }),
    },
    ClipByValue: {
      keep: { inputs: ["x"] },
      gradient: (dy, [x], { clipValueMin, clipValueMax }) => ({
        x: () => {
          const inside = tf.logicalAnd(tf.greater(x!, clipValueMin as number), tf.less(x!, clipValueMax as number));
          return tf.where(inside, dy, tf.zerosLike(dy));
        },
      }),
    },
    Pow: {
      keep: { inputs: ["a", "b"], output: true },
      gradient: (dy, [base, exponent, y]) => ({
        a: () => {
          const power = float(exponent!);
          const slope = tf.mul(power, tf.pow(base!, tf.sub(power, 1)));
          return sumTo(tf.where(tf.equal(power, 0), tf.zerosLike(dy), tf.mul(dy, slope)), base!.shape);
        },
        b: () => {
          const flat = tf.logicalAnd(tf.equal(base!, 0), tf.greaterEqual(exponent!, 0));
          const slope = tf.where(flat, tf.zerosLike(y!), tf.mul(y!, tf.log(float(base!))));
          return sumTo(tf.mul(dy, slope), exponent!.shape);
        },
      }),
    },
    Maximum: pick((a, b) => tf.less(a, b)),
    Minimum: pick((a, b) => tf.greater(a, b)),
    Max: extreme((attrs) => attrs.reductionIndices),
    Min: extreme((attrs) => attrs.axis),
    BatchMatMul: {
      keep: { inputs: ["a", "b"] },
      gradient: (dy, kept, attrs) => {
        const made = batchMatMul(dy, kept, attrs) as unknown as Record<"a" | "b", () => Tensor>;
        return { a: () => sumTo(made.a(), kept[0]!.shape), b: () => sumTo(made.b(), kept[1]!.shape) };
      },
    },
  };
}

/** Sums over the axes along which `shape` was broadcast. */
function summedTo(tf: Tfjs, x: Tensor, shape: number[]): Tensor {
  if (x.shape.length === shape.length && x.shape.every((size, i) => size === shape[i])) return x;
  // WebAssembly's sum reads past an empty tensor.
  if (x.size === 0) return tf.zeros(shape);
  const added = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, i) => (i < added || (shape[i - added] === 1 && size !== 1) ? [i] : []));
  return tf.reshape(tf.sum(x, axes), shape);
}
