// The trainings and exchanges of which a test compares one, two and three workers: `halftone train worker-runs.js -- FOLDER FAULT` writes
// what each worker found into a file, and then trains on until one of them is lost.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gatherValues } from "../../src/distributed/gather.ts";
import {
  add,
  type Batch,
  crossEntropy,
  distributed,
  GradScaler,
  mean,
  mul,
  parameterList,
  ready,
  reshape,
  type TrainOptions,
  tensor,
  train,
} from "../../src/index.ts";
import { expected, optimizers, strategies, type Tagger, tagger } from "../train/small-models.ts";
import { type faults, trainUntilLost } from "./lost.ts";

/** What a training gave. */
export interface Run {
  losses: number[];
  accuracies: number[];
  evaluations: number[];
  parameters: Record<string, number[]>;
  usefulTokens: number[];
}

/** What a worker found. */
export interface Found {
  rank: number;
  size: number;
  runs: Record<string, Run>;
  exchanges: Record<string, number[] | string>;
  refusals: Record<string, string>;
}

type Options = Omit<TrainOptions<Tagger["parameters"], Batch, ReturnType<Tagger["apply"]>>, "model" | "optimizer">;

async function run(start: typeof expected.tagger, options: Options): Promise<Run> {
  const model = tagger(start);
  // Workers begin with different parameters: the first one's are those of all.
  for (const { variable } of parameterList(model.parameters)) variable.assign(add(variable, distributed.rank) as never);
  const optimizer = optimizers.sgd(model.parameters);
  const { steps, evaluations } = await train({ ...options, model, optimizer, progress: false });
  return {
    losses: steps.map(({ loss }) => loss),
    accuracies: steps.map(({ accuracy }) => (Number.isNaN(accuracy) ? -1 : accuracy)),
    evaluations: evaluations.map(({ loss }) => loss),
    usefulTokens: steps.map(({ usefulTokens }) => usefulTokens),
    parameters: Object.fromEntries(
      parameterList(model.parameters).map(({ name, variable }) => [name, [...variable.dataSync()]]),
    ),
  };
}

export async function allRuns(): Promise<Record<string, Run>> {
  await ready();
  const runs: Record<string, Run> = {};
  for (const [i, batches] of strategies().entries()) {
    const every = { batches, accumulate: batches.count, steps: 4 };
    if (i % 2 === 0) runs[`tagsAtOnce ${i}`] = await run(expected.tagger, { ...every, loss: "tokenCrossEntropy" });
    else runs[`nextAtOnce ${i}`] = await run(expected.language, { ...every, loss: "nextToken" });
  }
  const batches = strategies()[0]!;
  const own = [...batches];
  const tags = { batches: own, accumulate: own.length, steps: 3, loss: "tokenCrossEntropy" } as const;
  runs.float16 = await run(expected.tagger, { ...tags, autocast: "float16", scaler: new GradScaler() });
  runs.bfloat16 = await run(expected.tagger, { ...tags, autocast: "bfloat16" });
  runs.function = await run(expected.tagger, {
    batches,
    accumulate: 2,
    steps: 4,
    validation: own,
    evaluateEvery: 2,
    loss: (logits, { tokenLabels }) => {
      const labels = tensor(tokenLabels!, { dtype: "int32" });
      const loss = crossEntropy(reshape(logits, [labels.size, -1]), labels as never, { ignoreIndex: -100 });
      return { loss, metrics: { twice: mul(loss, 2) }, weight: tokenLabels!.filter((label) => label !== -100).length };
    },
  });
  runs.reduced = await run(expected.tagger, { ...tags, reduceIn: "bfloat16" });
  return runs;
}

export function exchanges(): Found["exchanges"] {
  const { rank } = distributed;
  const own = tensor([rank + 1, 2, 3]);
  const tree = distributed.allReduce({ a: own, b: [tensor([rank], { dtype: "int32" })] }, { op: "max" });
  distributed.barrier();
  return {
    sum: [...distributed.allReduce(own).dataSync()],
    mean: [...distributed.allReduce(own, { op: "mean" }).dataSync()],
    product: [...distributed.allReduce(own, { op: "product" }).dataSync()],
    half: [...distributed.allReduce(mul(own, 1.0009765625), { in: "float16" }).dataSync()],
    max: [...tree.a.dataSync(), ...tree.b[0]!.dataSync()],
    broadcast: [...distributed.broadcast(own, distributed.size - 1).dataSync()],
  };
}

/** What all workers say where one of them cannot do what the others do, or is aborted. */
async function refusals(): Promise<Found["refusals"]> {
  const { rank } = distributed;
  const batches = strategies()[0]!;
  const said = async (options: Options) => {
    try {
      await run(expected.tagger, options);
      return "nothing";
    } catch (error) {
      return String(error);
    }
  };
  const stopping = new AbortController();
  const onStep = ({ step }: { step: number }) => {
    if (rank === 1 && step === 2) stopping.abort();
  };
  const { losses } = await run(expected.tagger, {
    ...{ batches, steps: 5, loss: "tokenCrossEntropy", onStep },
    ...(rank === 1 && { signal: stopping.signal }),
  });
  const failing: Options["loss"] = (logits) => {
    if (rank === 1) throw new RangeError("a label that only this worker has");
    return mean(logits);
  };
  return {
    own: await said({ batches: [...batches], steps: 1, loss: "tokenCrossEntropy" }),
    steps: await said({ batches, steps: 1 + rank, loss: "tokenCrossEntropy" }),
    failing: await said({ batches, steps: 1, loss: failing }),
    aborted: `${losses.length} steps`,
    long: gatherValues(`${rank}`.repeat(1000 * (rank + 1)))
      .map((text) => `${text.length} ${text.at(-1)}`)
      .join(", "),
  };
}

/** The addresses on which this network namespace listens, as the kernel writes them. */
const listening = (): string =>
  ["tcp", "tcp6"]
    .flatMap((table) => readFileSync(`/proc/net/${table}`, "utf8").split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === "0A")
    .map(([, address]) => address!.split(":")[0])
    .join(" ");

/** How many more threads this process has after 20 exchanges. */
function threadsOfExchanges(): number {
  const threads = () => Number(/^Threads:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))![1]);
  const before = threads();
  for (let i = 0; i < 20; i++) distributed.barrier();
  return threads() - before;
}

if (process.argv[1]?.endsWith("worker-runs.js")) {
  const { rank, size } = distributed;
  const runs = await allRuns();
  const found: Found = {
    ...{ rank, size, runs, refusals: await refusals() },
    exchanges: { ...exchanges(), listening: listening(), threads: [threadsOfExchanges()] },
  };
  const [folder, fault] = process.argv.slice(2);
  writeFileSync(path.join(folder!, `${rank}.json`), JSON.stringify(found));
  await trainUntilLost(fault as keyof typeof faults, path.join(folder!, `${fault}.safetensors`));
}
