import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, test } from "node:test";
import { distributed, tensor } from "../../src/index.ts";
import { isNative } from "../../src/runtime/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { expected } from "../train/small-models.ts";
import { halftoneTrain, program } from "./launch.ts";
import { trainLinear } from "./lost.ts";
import { allRuns, exchanges, type Found, type Run } from "./worker-runs.ts";

const skip = !isNative() && "this machine has no native TensorFlow";

/** Relative to the larger of 1 and the reference. */
function assertClose(found: readonly number[], reference: readonly number[], tolerance: number, what: string): void {
  assert.equal(found.length, reference.length, what);
  for (const [i, value] of found.entries()) {
    const limit = tolerance * Math.max(1, Math.abs(reference[i]!));
    assert.ok(Math.abs(value - reference[i]!) <= limit, `${what}: ${value} is not ${reference[i]} at ${i}`);
  }
}

function assertSameRun(found: Run, reference: Run, tolerance: number, what: string): void {
  for (const name of ["losses", "evaluations"] as const)
    assertClose(found[name], reference[name], tolerance, `${what}, ${name}`);
  for (const [name, values] of Object.entries(found.parameters))
    assertClose(values, reference.parameters[name]!, tolerance, `${what}, ${name}`);
  assert.deepEqual(found.usefulTokens, reference.usefulTokens, what);
  assertClose(found.accuracies, reference.accuracies, 1e-9, `${what}, accuracies`);
}

test("a program that runs alone is worker 0 of 1, whose exchanges give what it has", () => {
  assert.deepEqual([distributed.rank, distributed.size], [0, 1]);
  const found = exchanges();
  assert.deepEqual(found.sum, [1, 2, 3]);
  assert.deepEqual(found.broadcast, [1, 2, 3]);
});

test("what no worker can exchange is refused by name", () => {
  assert.throws(
    () => distributed.allReduce({ count: 1 }),
    /^TypeError: allReduce: expected a tensor or a tree of tensors/,
  );
  assert.throws(
    () => distributed.allReduce(tensor([true])),
    /^TypeError: allReduce: expected float32 or int32 tensors, got bool/,
  );
  const whole = tensor([1], { dtype: "int32" });
  assert.throws(() => distributed.allReduce(whole, { op: "mean" }), /the mean of int32 is not an integer/);
  assert.throws(
    () => distributed.allReduce(whole, { op: "average" as never }),
    /op must be sum, product, min, max, mean, got "average"/,
  );
  assert.throws(
    () => distributed.broadcast(whole, 1),
    /^RangeError: broadcast: from must be the rank of a worker, from 0 to 0, got 1/,
  );
});

let alone: Record<string, Run>;

for (const { size, fault, timeout } of [
  { size: 2, fault: "killed", timeout: 120 },
  { size: 3, fault: "late", timeout: 20 },
]) {
  describe(`${size} workers`, { skip }, () => {
    const folder = temporaryFolder();
    const ranks = Array.from({ length: size }, (_, rank) => rank);
    const checkpoint = path.join(folder, `${fault}.safetensors`);
    let stderr: string;
    let all: Found[] = [];

    before(async () => {
      const args = [program("./worker-runs.js"), "--workers", `${size}`, "--timeout", `${timeout}`];
      const finished = await halftoneTrain([...args, "--", folder, fault]);
      stderr = finished.stderr;
      assert.equal(finished.status, 1, stderr);
      const files = ranks.map((rank) => path.join(folder, `${rank}.json`));
      assert.ok(files.every(existsSync), stderr);
      all = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as Found);
      alone ??= await allRuns();
    });

    test("know their rank, and exchange tensors", () => {
      assert.deepEqual(
        all.map(({ rank, size }) => [rank, size]),
        ranks.map((rank) => [rank, size]),
      );
      const first = ranks.reduce((sum, rank) => sum + rank + 1, 0);
      for (const { exchanges: found } of all) {
        assert.deepEqual(found.sum, [first, 2 * size, 3 * size]);
        assertClose(found.mean as number[], [first / size, 2, 3], 1e-6, "mean");
        assert.deepEqual(found.product, [size === 2 ? 2 : 6, 2 ** size, 3 ** size]);
        assert.deepEqual(found.max, [size, 2, 3, size - 1]);
        assert.deepEqual(found.broadcast, [size, 2, 3]);
        // 1 + 2^-10 is a float16, and each sum is rounded to 11 bits.
        assertClose(found.half as number[], [first, 2 * size, 3 * size], 2e-3, "half");
      }
    });

    test("say the same where one of them differs, fails or is aborted", () => {
      for (const { rank, refusals: said } of all) {
        assert.match(
          said.own!,
          new RegExp(`^TypeError: train: batches of your own .* set accumulate to ${size} or more, got 1`),
        );
        assert.match(
          said.steps!,
          /^Error: train: all workers must train the same: steps is 1 in worker 0 and 2 in worker 1$/,
        );
        const own = /^RangeError: a label that only this worker has$/;
        const others =
          /^Error: worker 1 failed, so worker \d cannot continue: RangeError: a label that only this worker has$/;
        assert.match(said.failing!, rank === 1 ? own : others);
        assert.equal(said.aborted, "2 steps");
        assert.equal(said.long, size === 2 ? "1000 0, 2000 1" : "1000 0, 2000 1, 3000 2");
      }
    });

    test("listen on loopback only", () => {
      // 127.0.0.1, and the same as an address of IPv6.
      const loopback = /^(?:0100007F|0000000000000000FFFF00000100007F)$/;
      for (const { exchanges: found } of all)
        for (const address of (found.listening as string).split(" ")) assert.match(address, loopback);
    });

    test("start no thread for an exchange", () => {
      for (const { exchanges: found } of all) assert.ok((found.threads as number[])[0]! < 20, `${found.threads}`);
    });

    test("train as PyTorch does on one machine, for sequences of unequal length under every strategy", () => {
      for (const { runs } of all) {
        for (const [name, run] of Object.entries(runs)) {
          const reference = expected.runs[name.split(" ")[0]!]?.sgd;
          if (!reference) continue;
          run.losses.forEach((loss, i) => {
            assert.ok(Math.abs(loss / reference.losses[i]! - 1) < 4e-6, `${name}: ${loss}, not ${reference.losses[i]}`);
          });
        }
      }
    });

    test("have the losses, gradients and evaluations of one worker, in half precision too", () => {
      for (const { rank, runs } of all) {
        for (const [name, run] of Object.entries(runs))
          assertSameRun(run, alone[name]!, name === "reduced" ? 2e-2 : 1e-6, `${name} in worker ${rank}`);
      }
    });

    test("have the same parameters, bit for bit", () => {
      for (const { runs } of all.slice(1)) {
        for (const [name, { parameters }] of Object.entries(runs))
          assert.deepEqual(parameters, all[0]!.runs[name]!.parameters, name);
      }
    });

    if (fault === "killed")
      test("name a killed one, and the first one that is left saves what another number of workers continues", async () => {
        assert.match(stderr, /worker 0 \(127\.0\.0\.1:\d+\) has ended\. The state of the training after step 5 is in /);
        assert.match(stderr, /^Worker 0 was ended by SIGKILL\.$/m);
        const reference = await trainLinear(undefined);
        const { losses, weights } = await trainLinear(checkpoint);
        assertClose(losses, reference.losses, 1e-6, "losses");
        assertClose(weights, reference.weights, 1e-6, "weights");
      });
    else
      test("name a late one within the timeout, with what it came to last", () => {
        assert.match(
          stderr,
          /worker 2 \(127\.0\.0\.1:\d+\) is late: it did not come within 20 s, its last exchange was number \d+/,
        );
        assert.ok(existsSync(checkpoint));
      });
  });
}
