import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { keep, scope } from "../../src/memory/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";

await ready();

describe("scope(fn)", () => {
  test("frees the tensors made in it, except those in its result", () => {
    const made: Tensor[] = [];
    const remember = (x: Tensor) => {
      made.push(x);
      return x;
    };
    const result = scope(() => {
      const a = remember(tf.ones([2]));
      const b = remember(a.add(1));
      return { list: [b], map: new Map([["c", remember(b.mul(2))]]), text: "x" };
    });
    assert.deepEqual(
      made.map((x) => x.isDisposed),
      [true, false, false],
    );
    assert.deepEqual([...result.map.get("c")!.dataSync()], [4, 4]);
    assert.equal(result.text, "x");
  });

  test("does not free earlier tensors, kept tensors and variables", () => {
    const before = tf.ones([2]);
    const out: Record<string, Tensor> = {};
    scope((s) => {
      out.kept = keep(before.add(1));
      out.byScope = s.keep(before.add(2));
      out.variable = tf.variable(before.add(3));
    });
    assert.equal(before.isDisposed, false);
    assert.deepEqual(
      [...out.kept!.dataSync(), ...out.byScope!.dataSync(), ...out.variable!.dataSync()],
      [2, 2, 3, 3, 4, 4],
    );
  });

  test("gives its result to the scope around it", () => {
    let inner: Tensor | undefined;
    const outer = scope(() => {
      inner = scope(() => tf.ones([2]).add(1));
      return inner.mul(2);
    });
    assert.equal(inner?.isDisposed, true);
    assert.deepEqual([...outer.dataSync()], [4, 4]);
  });

  test("frees when its function throws", () => {
    let made: Tensor | undefined;
    assert.throws(
      () =>
        scope(() => {
          made = tf.ones([1]);
          throw new Error("no");
        }),
      /no/,
    );
    assert.equal(made?.isDisposed, true);
  });

  test("frees each function's own tensors where async functions run at the same time", async () => {
    const made: Record<string, Tensor> = {};
    const turn = () => new Promise(setImmediate);
    const one = scope(async () => {
      made.a1 = tf.ones([1]);
      await turn();
      made.a2 = tf.ones([1]);
      await turn();
      return made.a2;
    });
    const two = scope(async () => {
      await turn();
      made.b1 = tf.ones([1]);
      await turn();
      await turn();
      assert.equal(made.b1.isDisposed, false);
    });
    made.outside = tf.ones([1]);
    await one;
    assert.deepEqual([made.a1!.isDisposed, made.a2!.isDisposed, made.b1!.isDisposed], [true, false, false]);
    await two;
    assert.equal(made.b1!.isDisposed, true);
    assert.equal(made.outside.isDisposed, false);
  });

  test("does not affect gradients", () => {
    const gradient = scope(() => tf.grad((x) => scope(() => x.square().mul(2).sum()))(tf.tensor1d([3])));
    assert.deepEqual([...gradient.dataSync()], [12]);
  });
});

describe("using", () => {
  test("a tensor disposes it at the end of the block", () => {
    let seen: Tensor | undefined;
    {
      using x = tf.ones([2]);
      seen = x;
      assert.equal(seen.isDisposed, false);
    }
    assert.equal(seen.isDisposed, true);
  });

  test("a scope frees the tensors made in its block", () => {
    const out: Tensor[] = [];
    {
      using s = scope();
      out.push(tf.ones([1]), s.keep(tf.zeros([1])));
      out.push(out[0]!.add(1));
    }
    assert.deepEqual(
      out.map((x) => x.isDisposed),
      [true, false, true],
    );
    assert.equal(tf.ones([1]).isDisposed, false);
  });

  test("a scope whose block awaits frees nothing and throws an error with the remedy", async () => {
    const out: Tensor[] = [];
    const work = async () => {
      using _ = scope();
      out.push(tf.ones([1]));
      await null;
    };
    const running = work();
    out.push(tf.ones([1]));
    await assert.rejects(running, /must not await; nothing was freed. Write `await scope\(async/);
    assert.deepEqual(
      out.map((x) => x.isDisposed),
      [false, false],
    );
  });
});
