import assert from "node:assert/strict";
import path from "node:path";
import { before, describe, test } from "node:test";
import { ready, tf } from "../../src/runtime/index.ts";
import {
  adamW,
  constantRate,
  cosineRate,
  linearRate,
  oneCycleRate,
  type PlateauOptions,
  reduceOnPlateau,
  type Schedule,
  sequenceRate,
} from "../../src/train/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { expected } from "./reference.ts";
import { run } from "./runs.ts";

before(ready);

function assertRates(rates: number[], name: string): void {
  for (const [step, wanted] of expected.schedules[name]!.entries())
    assert.ok(Math.abs(rates[step]! - wanted) <= 1e-12, `${name} at step ${step}: ${rates[step]} is not ${wanted}`);
}

describe("schedules", () => {
  const schedules: Record<string, Schedule> = {
    linear: linearRate(0.1, 0.5, 6),
    oneCycle: oneCycleRate({ peak: 0.8, total: 12 }),
    oneCycleLinear: oneCycleRate({
      peak: 0.8,
      total: 12,
      rise: 0.5,
      decay: "linear",
      startDivisor: 10,
      endDivisor: 100,
    }),
    oneCycleThreePhase: oneCycleRate({ peak: 0.8, total: 20, threePhase: true }),
    sequence: sequenceRate([linearRate(0.1, 0.5, 3), cosineRate(0.5, 4), constantRate(0.5)], [3, 7]),
  };

  for (const [name, schedule] of Object.entries(schedules))
    test(`${name} gives PyTorch's rates`, () => {
      assertRates(
        expected.schedules[name]!.map((_, step) => schedule(step)),
        name,
      );
    });

  test("stay at their last rate", () => {
    assert.equal(linearRate(0, 1, 4)(100), 1);
    assert.ok(Math.abs(schedules.oneCycle!(1000) - 0.8 / 25 / 1e4) < 1e-12);
  });

  test("reject impossible options", () => {
    assert.throws(() => linearRate(0, 1, 0), /steps must be a positive integer, got 0/);
    assert.throws(() => oneCycleRate({ peak: 1, total: 10, rise: 2 }), /rise must lie between 0 and 1, got 2/);
    assert.throws(
      () => reduceOnPlateau(1).loadStateDict({ scale: 1 } as never),
      /reduceOnPlateau: expected a state as stateDict\(\) gives it, with best, bad, cooling and scale, got scale/,
    );
    assert.throws(() => sequenceRate([constantRate(1)], [3]), /1 schedules need 0 milestones, got 1/);
    assert.throws(
      () => sequenceRate([constantRate(1), constantRate(1), constantRate(1)], [3, 3]),
      /the milestones must increase from above 0, got 3, 3/,
    );
    assert.throws(
      () => sequenceRate([reduceOnPlateau(1), constantRate(1)], [3]),
      /schedule 0 observes evaluations; put it around the sequence/,
    );
  });
});

describe("a learning rate that is a number", () => {
  test("is one of train and of sequenceRate", async () => {
    const { history } = await run({ learningRate: 0.02, steps: 3 });
    assert.deepEqual(
      history.steps.map((step) => step.learningRate),
      [0.02, 0.02, 0.02],
    );
    assert.deepEqual([0, 1, 2].map(sequenceRate([0.5, linearRate(1, 2, 2)], [1])), [0.5, 1, 1.5]);
  });

  test("is refused where it is neither number nor schedule, and a schedule by an optimizer", async () => {
    const message = /^TypeError: learningRate must be a number or a schedule \(a function of the step\), got '0.1'/;
    await assert.rejects(run({ learningRate: "0.1" as never }), message);
    assert.throws(() => sequenceRate([{} as never], []), /sequenceRate: schedule 0 must be a number or a schedule/);
    const parameters = { weight: tf.variable(tf.ones([2])) };
    for (const options of [
      { learningRate: cosineRate(0.1, 10) as never },
      { groups: [{ match: /weight/, learningRate: cosineRate(0.1, 10) as never }] },
    ])
      assert.throws(
        () => adamW(parameters, options),
        /learningRate of an optimizer is a number; give a schedule to `train`/,
      );
  });
});

describe("reduceOnPlateau", () => {
  const cases: Record<string, PlateauOptions> = {
    plateau: { patience: 2, factor: 0.5 },
    plateauCooldown: { patience: 1, factor: 0.1, cooldown: 2, minRate: 1e-3, threshold: 0.01 },
    plateauAbsolute: { patience: 0, factor: 0.5, threshold: 0.2, thresholdMode: "absolute" },
    plateauMax: { patience: 2, factor: 0.5, mode: "max" },
  };

  for (const [name, options] of Object.entries(cases))
    test(`gives PyTorch's rates (${name}), also from a saved state`, () => {
      let schedule = reduceOnPlateau(0.5, options);
      const rates = expected.schedules.losses!.map((loss, step) => {
        const rate = schedule(step);
        schedule.observe({ loss });
        const saved = JSON.parse(JSON.stringify(schedule.stateDict()));
        schedule = reduceOnPlateau(0.5, options);
        schedule.loadStateDict(saved);
        return rate;
      });
      assertRates(rates, name);
    });

  test("reduces the rates of another schedule, by any figure of the evaluation", () => {
    const schedule = reduceOnPlateau(linearRate(0, 1, 4), { patience: 0, factor: 0.5, by: "accuracy" });
    schedule.observe({ loss: 1, accuracy: 0.5 });
    schedule.observe({ loss: 0.5, metrics: { accuracy: 0.5 } });
    assert.deepEqual([0, 2, 4].map(schedule), [0, 0.25, 0.5]);
    const falling = reduceOnPlateau(1, { patience: 0, by: "perplexity" });
    for (const perplexity of [5, 4, 3]) falling.observe({ metrics: { perplexity } });
    assert.equal(falling(0), 1);
    assert.throws(() => schedule.observe({ loss: 1 }), /the evaluation has no accuracy, only loss/);
    // @ts-expect-error a figure of one's own needs a direction
    const undirected = () => reduceOnPlateau(1, { by: "surprise" });
    assert.throws(undirected, /reduceOnPlateau by "surprise" needs mode: "min" or "max"/);
    assert.throws(() => reduceOnPlateau(1, { factor: 1 }), /factor must lie between 0 and 1, got 1/);
    assert.throws(() => reduceOnPlateau(1, { patience: -1 }), /patience must be 0 or more, got -1/);
  });

  test("sees the evaluations of a training", async () => {
    const learningRate = reduceOnPlateau(1e-3, { patience: 0, factor: 0.5, threshold: 10, thresholdMode: "absolute" });
    const { history } = await run({ learningRate, steps: 12, evaluateEvery: 3 });
    const rates = history.steps.map((step) => step.learningRate);
    // The evaluation before the first step is the best one, and every other one reduces the rate.
    assert.deepEqual(
      rates,
      [3, 3, 3, 3].flatMap((count, i) => Array(count).fill(1e-3 * 0.5 ** i)),
    );
    await assert.rejects(
      run({ learningRate, validation: undefined as never }),
      /a learning rate of reduceOnPlateau needs `validation` batches and `evaluateEvery`/,
    );
  });

  test("continues from a checkpoint", async () => {
    const make = () => reduceOnPlateau(1e-3, { patience: 1, factor: 0.5, threshold: 10, thresholdMode: "absolute" });
    const settings = { evaluateEvery: 2, steps: 12 };
    const straight = await run({ ...settings, learningRate: make() });
    const folder = temporaryFolder();
    const checkpoint = { path: path.join(folder, "run.safetensors") };
    await run({ ...settings, learningRate: make(), checkpoint, steps: 6 });
    const resumed = await run({ ...settings, learningRate: make(), checkpoint });
    assert.equal(resumed.bits, straight.bits);
  });
});
