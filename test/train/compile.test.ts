import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  adamW,
  add,
  compile,
  conv2d,
  crossEntropy,
  dropout,
  freeUnreachable,
  generator,
  grad,
  linear,
  matmul,
  mean,
  mul,
  parameterList,
  profileScope,
  randint,
  randn,
  relu,
  seed,
  square,
  type Tensor,
  tensor,
  valueAndGradients,
} from "../../src/index.ts";
import { ready, runtimeInfo, tf } from "../../src/runtime/index.ts";

await ready();
const skip = !runtimeInfo().capture && "nothing is captured here";
const rows = (count: number, seed = 0) =>
  Array.from({ length: count }, (_, i) => [0, 1, 2, 3].map((j) => Math.sin(seed + 4 * i + j)));

/** A loop of one's own: two layers with dropout from a generator, and an optimizer. Gives losses and parameters. */
function loop(isCompiled: boolean) {
  const [first, second] = [linear({ in: 4, out: 8, from: 1 }), linear({ in: 8, out: 3, from: 2 })];
  const optimizer = adamW({ first: first.parameters, second: second.parameters }, { clipNorm: 1 });
  const random = generator(7);
  const step = ({ x, labels }: { x: Tensor<[number, 4]>; labels: Tensor<[number], "int32"> }) => {
    const { value, gradients } = valueAndGradients(() => {
      const hidden = dropout(relu(first.apply(first.parameters, x)), 0.25, { from: random });
      return crossEntropy(second.apply(second.parameters, hidden), labels) as never;
    }, optimizer.variables);
    return { loss: value, norm: optimizer.step(gradients)! };
  };
  const inputs = (seed: number) => {
    const count = seed % 5 === 4 ? 3 : 6;
    return {
      x: tensor(rows(count, seed)) as Tensor<[number, 4]>,
      labels: tensor(
        rows(count).map((_, i) => (i + seed) % 3),
        { dtype: "int32" },
      ),
    };
  };
  const compiled = compile(step, { inputs });
  const losses = Array.from({ length: 80 }, (_, i) => {
    const { loss, norm } = isCompiled ? compiled(i) : step(inputs(i));
    return [loss.dataSync()[0], norm.dataSync()[0]];
  });
  const parameters = parameterList({ first: first.parameters, second: second.parameters });
  return { losses, values: parameters.map(({ variable }) => [...variable.dataSync()]), state: compiled.state };
}

describe("compile", () => {
  test("a compiled step gives the bias of a convolution the same gradient, bit for bit", () => {
    const layer = conv2d({ in: 4, out: 4, kernelSize: 3, padding: 1, from: 1 });
    const gradientsOf = (x: Tensor<[12, 8, 8, 4]>) =>
      grad((p: typeof layer.parameters) => mean(square(layer.apply(p, x))))(layer.parameters);
    const compiled = compile(gradientsOf);
    for (let from = 0; from < 6; from++) {
      const x = randn([12, 8, 8, 4], { from });
      const [own, others] = [compiled(x), gradientsOf(x)];
      for (const name of ["weight", "bias"] as const)
        assert.deepEqual(own[name].dataSync(), others[name].dataSync(), name);
    }
  });

  test("gives the results of the step, with an optimizer, a generator and several shapes", () => {
    const [plain, compiled] = [loop(false), loop(true)];
    assert.deepEqual(compiled.losses, plain.losses);
    assert.deepEqual(compiled.values, plain.values);
    if (skip) return;
    assert.deepEqual([compiled.state.functions, compiled.state.shapes], [1, 2]);
    assert.ok(compiled.state.calls >= 60);
    assert.ok(compiled.state.replays >= 59, `${compiled.state.replays} replays`);
    assert.equal(compiled.state.replayRefusal, undefined);
  });

  test("takes arguments as they are, and disposes of what the step makes", () => {
    const w = tensor(rows(4));
    const step = compile((x: Tensor<[number, 4]>, scale: number) => ({
      product: tf.mul(relu(matmul(x, w)) as never, scale) as unknown as Tensor<[number, 4]>,
      scale,
    }));
    const x = tensor(rows(2)) as Tensor<[number, 4]>;
    for (let i = 1; i < 6; i++) {
      const { product, scale } = step(x, i);
      const expected = tf.tidy(() =>
        tf
          .mul(tf.relu(tf.matMul(x as never, w as never)), i)
          .dataSync()
          .slice(),
      );
      assert.deepEqual([[...product.dataSync()], scale], [[...expected], i]);
      product.dispose();
    }
    freeUnreachable();
    const before = tf.memory().numTensors;
    for (let i = 1; i < 6; i++) step(x, i).product.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test("refuses to read a result inside of the step, by the op and its layer", { skip }, () => {
    const step = compile((x: Tensor<[number, 4]>) => {
      const mean = profileScope("pool", () => tf.mean(x as never));
      return tf.mul(mean, mean.dataSync()[0]!);
    });
    const message =
      /^Error: compile: the step reads the result of Mean in the layer pool, \[\] before it ends: return the tensor and read it after the call$/;
    for (let i = 0; i < 4; i++) assert.throws(() => step(tensor(rows(2)) as never), message);
  });

  test("refuses random numbers of TensorFlow's own, and shapes that depend on values", { skip }, () => {
    const x = tf.tensor1d([1, 2, 2, 5]);
    const draw = compile(() => tf.multinomial(x, 2));
    assert.throws(
      draw,
      /^Error: compile: Multinomial has a state, draws its own random numbers, or has a result whose/,
    );
    const unique = compile(() => tf.unique(x).values);
    assert.throws(unique, /^Error: compile: UniqueV2 .*: compute it outside of the step$/);
  });

  test("captures a loss of labels from before the step, with the labels of each call", { skip }, () => {
    const w = tensor(rows(4)) as Tensor<[4, 4], "float32">;
    const loss = (x: Tensor<[number, 4]>, labels: Tensor<[number], "int32">) => crossEntropy(matmul(x, w), labels);
    const step = compile(loss);
    const x = tensor(rows(3)) as Tensor<[number, 4]>;
    const labels = [0, 1].map((from) => randint(0, 4, [3], { from }));
    for (let i = 0; i < 8; i++)
      assert.deepEqual(step(x, labels[i % 2]!).dataSync(), loss(x, labels[i % 2]!).dataSync());
    assert.deepEqual(step.state, { functions: 1, shapes: 1, calls: 3, replays: 0 });
    const wrong = tensor([0, 4, 0], { dtype: "int32" });
    assert.throws(() => step(x, wrong), /^RangeError: crossEntropy: label 4 is not one of the 4 classes/);
  });

  test("does not run the JavaScript of a captured step again, unless that is asked for", { skip }, () => {
    const w = tensor(rows(4)) as Tensor<[4, 4], "float32">;
    let runs = 0;
    const make = (replay: boolean) =>
      compile(
        ({ x, scale }: { x: Tensor<[number, 4]>; scale: number }) => {
          runs++;
          return { y: mul(matmul(x, w), scale), scale };
        },
        {
          inputs: (seed: number, scale: number) => ({ x: tensor(rows(2, seed)) as Tensor<[number, 4]>, scale }),
          replay,
        },
      );
    const runsOf = (step: ReturnType<typeof make>, scales: number[]) => {
      const before = runs;
      scales.forEach((scale, seed) => {
        const { y, scale: given } = step(seed, scale);
        const expected = mul(matmul(tensor(rows(2, seed)) as Tensor<[number, 4]>, w), scale);
        assert.deepEqual([y.dataSync(), given], [expected.dataSync(), scale]);
      });
      return runs - before;
    };
    const step = make(true);
    assert.equal(runsOf(step, [2, 2, 2, 2, 2, 2, 2]), 4);
    assert.equal(runsOf(step, [3, 2, 2]), 1);
    assert.equal(runsOf(make(false), [2, 2, 2, 2, 2, 2, 2]), 7);
  });

  test("runs the JavaScript each time where more than the inputs differs, and says why", { skip }, () => {
    const inputs = (seed: number) => ({ x: tensor(rows(3, seed)) as Tensor<[number, 4]> });
    type Given = ReturnType<typeof inputs>;
    const refusalOf = (step: (given: Given, seed: number) => unknown) => {
      let at = 0;
      const compiled = compile((given: Given) => step(given, at) as Tensor, { inputs });
      const plain = Array.from({ length: 7 }, (_, seed) => {
        at = seed;
        const result = compiled(seed);
        const expected = step(inputs(seed), seed) as Tensor;
        if (result) assert.deepEqual(result.dataSync(), expected.dataSync());
        return result;
      });
      assert.equal(plain.length, 7);
      assert.equal(compiled.state.replays, 0);
      return compiled.state.replayRefusal ?? compiled.state.refusal;
    };
    const labels = (seed: number) => tensor([seed, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], { shape: [3, 4] });
    assert.equal(
      refusalOf(({ x }, seed) => mul(x, labels(seed))),
      "it uploads values [3, 4] that are no inputs and differed between the runs that were recorded",
    );
    const weights = Array.from({ length: 7 }, (_, seed) => add(tensor(rows(4, seed)), 0));
    assert.equal(
      refusalOf(({ x }, seed) => matmul(x, weights[seed] as Tensor<[4, 4]>)),
      "it uses a tensor [4, 4] from before that is not an input, and that differed between the runs that were recorded",
    );
    const kept: unknown[] = [];
    assert.equal(
      refusalOf(({ x }) => {
        kept.push(tf.keep(square(x) as never));
        return relu(x);
      }),
      "it keeps a tensor that is not a part of its result",
    );
    assert.equal(
      refusalOf(({ x }) => mul(x, x.dataSync()[0]! > 2 ? 1 : 2)),
      "it reads the values of a tensor",
    );
    const [both, matrix] = [new Map<number, Tensor>(), tensor(rows(4)) as Tensor<[4, 4]>];
    const shared = compile(({ a, b }: { a: Tensor<[4, 4]>; b: Tensor<[4, 4]> }) => matmul(a, b), {
      inputs: (seed: number) => ({ a: matrix, b: seed < 6 ? matrix : (tensor(rows(4, seed)) as Tensor<[4, 4]>) }),
    });
    for (let seed = 0; seed < 8; seed++) both.set(seed, shared(seed));
    assert.equal(shared.state.replayRefusal, "two of its inputs are the same tensor");
    const expected = matmul(tensor(rows(4)) as Tensor<[4, 4]>, tensor(rows(4, 7)) as Tensor<[4, 4]>);
    assert.deepEqual(both.get(7)!.dataSync(), expected.dataSync());
  });

  test("runs the JavaScript each time where values that decide shapes differ between calls with like inputs", {
    skip,
  }, () => {
    const cut = (at: number, x: Tensor): Tensor => tf.slice(x as never, [at, 0], [1, 4]);
    const tiled = (count: number, x: Tensor): Tensor => tf.tile(x as never, [count + 1, 1]);
    for (const f of [cut, tiled]) {
      let n = 0;
      const inputs = (length: number) => ({ x: tensor(rows(length)) as Tensor });
      const step = compile(({ x }: ReturnType<typeof inputs>) => f(n, x), { inputs });
      for (const length of [5, 6, 7, 8, 5, 6, 7, 8, 5, 6]) {
        n = (n + 2) % 5;
        const [result, expected] = [step(length), f(n, inputs(length).x)];
        assert.deepEqual([result.shape, result.dataSync()], [expected.shape, expected.dataSync()]);
      }
      assert.equal(step.state.replayRefusal, "values that decide shapes differed between runs on the same inputs");
    }
  });

  test("reads the learning rate of an optimizer and the seed of a generator at each call", { skip }, () => {
    const own = (isCompiled: boolean) => {
      const layer = linear({ in: 4, out: 4, from: 1 });
      const optimizer = adamW(layer.parameters, { learningRate: 1 });
      const random = generator(3);
      const inputs = (seed: number) => ({ x: tensor(rows(3, seed)) as Tensor<[number, 4]> });
      const step = ({ x }: ReturnType<typeof inputs>) => {
        const loss = () => mean(square(dropout(dropout(layer.apply(layer.parameters, x), 0.2, { from: random }), 0.5)));
        const { value, gradients } = valueAndGradients(loss as never, optimizer.variables);
        optimizer.step(gradients);
        return value;
      };
      const compiled = compile(step, { inputs });
      const values = Array.from({ length: 12 }, (_, seed) => {
        optimizer.learningRate *= 0.8;
        const value = isCompiled ? compiled(seed) : step(inputs(seed));
        return value.dataSync()[0];
      });
      return { values, drawn: random.next(), state: compiled.state, steps: optimizer.stateDict() };
    };
    seed(5);
    const plain = own(false);
    seed(5);
    const compiled = own(true);
    assert.deepEqual([compiled.values, compiled.drawn, compiled.steps], [plain.values, plain.drawn, plain.steps]);
    assert.ok(compiled.state.replays >= 8, JSON.stringify(compiled.state));
  });

  test("tells why a step is not captured", () => {
    const changing = compile((n: number) => tf.fill([n], 0));
    for (let n = 1; n <= 512; n++) changing(n).dispose();
    assert.equal(changing.state.calls, 0);
    assert.match(changing.state.refusal!, skip ? /capture/ : /^512 runs in a row had other ops, shapes or constants/);
  });

  test("refuses what is not a function, and async functions", () => {
    assert.throws(() => compile(3 as never), /^TypeError: compile: step must be a function, got number$/);
    const step = compile(async () => tf.scalar(1));
    assert.throws(() => step(), /compile: the step must not be async: await what it needs before the call/);
  });
});
