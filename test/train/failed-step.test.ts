import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  adafactor,
  adagrad,
  adam,
  adamW,
  freeUnreachable,
  lion,
  nativeMemory,
  type Optimizer,
  OutOfMemoryError,
  parameters,
  randn,
  ready,
  rmsProp,
  sgd,
  type Tensor,
  tf,
  withMemoryBudget,
} from "../../src/index.ts";

before(ready);

const start = () => parameters({ weight: randn([64, 32], { from: 1 }), bias: randn([64], { from: 2 }) });
type Parameters = ReturnType<typeof start>;

const gradients = (seed: number): Tensor[] => [randn([64, 32], { from: seed }), randn([64], { from: seed + 50 })];

const groups = [{ match: /bias/, weightDecay: 0 }];

const makers: Record<string, (p: Parameters) => Optimizer> = {
  sgd: (p) => sgd(p, { momentum: 0.9, nesterov: true, groups }),
  adam: (p) => adam(p, { weightDecay: 0.1 }),
  adamW: (p) => adamW(p, { groups, clipNorm: 1 }),
  rmsProp: (p) => rmsProp(p, { momentum: 0.9, centered: true, groups }),
  adagrad: (p) => adagrad(p, { weightDecay: 0.1, groups }),
  adafactor: (p) => adafactor(p, { groups }),
  lion: (p) => lion(p, { weightDecay: 0.1, groups }),
};

const valuesOf = (p: Parameters, optimizer: Optimizer) => ({
  weight: p.weight.dataSync().slice(),
  bias: p.bias.dataSync().slice(),
  state: optimizer.stateDict(),
});

describe("a step that runs out of memory changes neither parameters nor state, at any of its ops", () => {
  for (const [name, make] of Object.entries(makers))
    for (const isShared of [false, true])
      test(isShared ? `${name}, beside copies of the parameters` : name, () => {
        const [p, undisturbed] = [start(), start()];
        const [optimizer, other] = [make(p), make(undisturbed)];
        optimizer.step(gradients(3));
        // New values cannot then take the memory of the old ones.
        const copies = isShared ? Object.values(p).map((each) => each.clone()) : [];
        const before = valuesOf(p, optimizer);
        let failures = 0;
        let tensors: number | undefined;
        for (let room = 2048; ; room += 8192) {
          const given = gradients(4);
          // What is freed in the middle of a step would make room.
          freeUnreachable();
          try {
            withMemoryBudget(nativeMemory().live + room, () => optimizer.step(given));
            break;
          } catch (error) {
            assert.ok(error instanceof OutOfMemoryError);
            failures++;
          }
          assert.deepEqual(valuesOf(p, optimizer), before);
          // The first attempt makes the constants that stay on the device.
          tensors ??= nativeMemory().tensors;
          assert.equal(nativeMemory().tensors, tensors);
        }
        assert.ok(failures >= (isShared ? 3 : 1), `${failures}`);
        tf.dispose(copies);
        for (const seed of [3, 4]) other.step(gradients(seed));
        assert.deepEqual(valuesOf(p, optimizer), valuesOf(undisturbed, other));
      });
});
