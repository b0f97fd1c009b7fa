// A training in which one worker is lost.
import { existsSync } from "node:fs";
import {
  adamW,
  arrayBatches,
  distributed,
  matmul,
  meanSquaredError,
  parameters,
  randn,
  ready,
  type Tensor,
  train,
} from "../../src/index.ts";

/** 8 steps; the final parameters and losses. */
export async function trainLinear(checkpoint: string | undefined, onStep: (step: number) => void = () => {}) {
  await ready();
  const own = parameters({ weights: randn([3, 1], { from: 1 }) });
  const [x, y] = [randn([10, 3], { from: 2 }), randn([10, 1], { from: 3 })];
  const { steps } = await train({
    model: {
      parameters: own,
      apply: (p: typeof own, batch: { x: Tensor<[number, 3], "float32">; y: Tensor<[number, 1], "float32"> }) =>
        matmul(batch.x, p.weights),
    },
    optimizer: adamW(own, { learningRate: 0.05 }),
    batches: arrayBatches({ x, y }, { batchSize: 4, seed: 1 }),
    loss: (output, batch) => meanSquaredError(output, batch.y),
    steps: 8,
    progress: false,
    ...(checkpoint && { checkpoint: { path: checkpoint } }),
    onStep: ({ step }) => onStep(step),
  });
  return { losses: steps.map(({ loss }) => loss), weights: [...own.weights.dataSync()] };
}

/** After step 5, one worker is killed, or is late until another one has given up and saved. */
export const faults = {
  killed: { rank: 0, lose: () => void process.kill(process.pid, "SIGKILL") },
  late: {
    rank: 2,
    lose: (checkpoint: string) => {
      const memory = new Int32Array(new SharedArrayBuffer(4));
      while (!existsSync(checkpoint)) Atomics.wait(memory, 0, 0, 50);
    },
  },
};

/** Trains until a worker is lost. */
export async function trainUntilLost(fault: keyof typeof faults, checkpoint: string): Promise<void> {
  const { rank, lose } = faults[fault];
  await trainLinear(checkpoint, (step) => {
    if (step === 5 && distributed.rank === rank) lose(checkpoint);
  });
}
