import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { openNotebook } from "../kernel/fixture.ts";

const { run } = openNotebook();
const mebibytes = async () => Number((await run("freeUnreachable(); nativeMemory().live / 2 ** 20")).text);
let skip = false;

before(async () => {
  const { text } = await run(
    'import { freeUnreachable, leaks, nativeMemory, runtimeInfo, scope, tf, trackAllocations } from "halftone"\nruntimeInfo().reason',
  );
  skip = /freed only between|WebAssembly/.test(text ?? "");
});

describe("in a notebook", () => {
  test("running a cell again frees the model that it replaces", async (t) => {
    if (skip) return t.skip("the collector is not set up");
    const base = await mebibytes();
    for (let i = 0; i < 3; i++) {
      const { error } = await run("const w = tf.variable(tf.ones([1024, 1024]).add(1));\nconst y = w.mul(2);");
      assert.equal(error, undefined);
      assert.equal((await mebibytes()) - base, 8);
    }
  });

  test("a tensor that a cell displayed without naming it is freed", async (t) => {
    if (skip) return t.skip("the collector is not set up");
    const base = await mebibytes();
    assert.match((await run("tf.ones([1024, 512]).add(3)")).text ?? "", /1024, 512/);
    await run("1;");
    assert.equal(await mebibytes(), base);
  });

  test("leaks names the cell and line", async () => {
    await run("trackAllocations();");
    const label = (
      await run("let kept: tf.Tensor[] = []\n\n  for (let i = 0; i < 3; i++) kept.push(tf.ones([77]).greater(0));")
    ).outcome;
    assert.equal(label.status, "ok");
    const { text } = await run("leaks()");
    assert.match(text ?? "", /cell \[\d+\]:3:\d+ +Greater +\[77\] +bool/);
  });

  test("a block of `using s = scope()` frees what it made", async (t) => {
    if (skip) return t.skip("the collector is not set up");
    const { text, error } = await run(
      "let gone: tf.Tensor, stays: tf.Tensor\n{ using s = scope(); gone = tf.ones([2]); stays = s.keep(gone.add(1)) }\n;[gone.isDisposed, stays.isDisposed].join()",
    );
    assert.equal(error, undefined);
    assert.equal(text, "'true,false'");
  });

  test("the error of an allocation over the budget has the line of the cell", async () => {
    const { error } = await run(
      'import { memoryBudget, zeros } from "halftone"\nmemoryBudget("1 MB")\nconst big = zeros([1024, 1024])',
    );
    await run("memoryBudget(Infinity);");
    assert.equal(error?.ename, "OutOfMemoryError");
    assert.match(error.evalue, /^Fill of \[1024, 1024\] needs 4.00 MiB, but .* of the budget of 977 KiB are in use/);
    assert.match(error.traceback.join("\n"), /> 3 \| const big[\s\S]*at cell \[\d+\]:3:\d+/);
  });
});
