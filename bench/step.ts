/**
 * Time and peak memory of a training step, captured and op by op, beside the same model in PyTorch on the CPU, in turns and with as
 * many threads. PyTorch runs with its threads waiting actively and passively (OMP_WAIT_POLICY), and the ratio is to the faster.
 *
 *     npm run build && node dist/bench/step.js [rounds]
 *
 * PyTorch runs under HALFTONE_TORCH_PYTHON, or python3, if that has `torch` (pip install torch numpy).
 */
import {
  adamW,
  type Batches,
  fixedLengthBatches,
  formatBytes,
  listOps,
  listOpsVocabulary,
  predictTransformerMemory,
  ready,
  runtimeInfo,
  type TransformerConfig,
  train,
  transformerClassifier,
} from "../src/index.ts";
import { median, reference, torchPython } from "./figures.ts";

interface Measured {
  times: number[];
  peakBytes: number;
}

interface Runner {
  run(steps: number): Promise<Measured>;
  stop(): void;
}

const STEPS = 8;
const rounds = Number(process.argv[2] ?? 5);
const common = { vocabularySize: listOpsVocabulary.size, classes: 10, heads: 4, activation: "relu" as const };
const settings = [
  { rows: 32, time: 64, features: 64, layers: 2, dropout: 0.1 },
  { rows: 32, time: 64, features: 64, layers: 2, dropout: 0 },
  { rows: 32, time: 128, features: 128, layers: 4, dropout: 0.1 },
  { rows: 32, time: 128, features: 128, layers: 4, dropout: 0 },
];

await ready();
const { backend, version, device, kernels, threads } = runtimeInfo();
const python = torchPython();
console.log(
  `${backend} ${version} on the ${device}, ${kernels} kernels, ${threads} threads; ${rounds} rounds of ${STEPS} steps, in turns`,
);

for (const { rows, time, ...sizes } of settings) {
  const config: TransformerConfig = { ...common, ...sizes, hidden: 4 * sizes.features, maxLength: time };
  const examples = listOps({ count: rows, seed: 1, minLength: time / 4, maxLength: time });
  const batches = fixedLengthBatches(examples, { batchSize: rows, maxLength: time });
  const runners: Record<string, Runner> = {
    captured: halftone(config, batches, true),
    "op by op": halftone(config, batches, false),
    ...(python && {
      "PyTorch, active": startTorch(python, "active", config, batches, rows, time),
      "PyTorch, passive": startTorch(python, "passive", config, batches, rows, time),
    }),
  };
  const all: Record<string, Measured[]> = Object.fromEntries(Object.keys(runners).map((name) => [name, []]));
  // A step is captured when it has run three times.
  for (const runner of Object.values(runners)) await runner.run(6);
  const order = Object.keys(runners);
  for (let round = 0; round < rounds; round++) {
    for (const name of order) all[name]!.push(await runners[name]!.run(STEPS));
    order.push(order.shift()!);
  }
  for (const runner of Object.values(runners)) runner.stop();

  const predicted = predictTransformerMemory(config, { rows, time }).total;
  console.log(`\n${rows} x ${time} tokens, ${sizes.layers} layers of ${sizes.features}, dropout ${sizes.dropout}`);
  report("fastest step", all, ({ times }) => Math.min(...times), milliseconds);
  report("median step", all, ({ times }) => median(times), milliseconds);
  report("peak of tensors", all, ({ peakBytes }) => peakBytes, formatBytes);
  console.log(`  predicted from the sizes alone: ${formatBytes(predicted)}`);
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** Prints a figure of every runner, and its ratio to PyTorch's faster one, round by round. */
function report(
  what: string,
  all: Record<string, Measured[]>,
  pick: (measured: Measured) => number,
  show: (value: number) => string,
): void {
  const figures = Object.entries(all).map(([name, rounds]) => ({ name, rounds: rounds.map(pick) }));
  const torch = figures.filter(({ name }) => name.startsWith("PyTorch"));
  const best = torch.sort((a, b) => median(a.rounds) - median(b.rounds))[0];
  for (const { name, rounds } of figures) {
    const line = `  ${what.padEnd(16)} ${name.padEnd(16)} ${show(median(rounds)).padStart(10)}`;
    if (!best || name.startsWith("PyTorch")) {
      console.log(line);
      continue;
    }
    const ratios = rounds.map((figure, i) => figure / best.rounds[i]!).sort((a, b) => a - b);
    console.log(
      `${line}   ratio ${median(ratios).toFixed(2)} (${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)})`,
    );
  }
}

function halftone(config: TransformerConfig, batches: Batches, capture: boolean): Runner {
  const model = transformerClassifier(config);
  const optimizer = adamW(model.parameters, { clipNorm: 1 });
  let seed = 0;
  const run = async (steps: number): Promise<Measured> => {
    const history = await train({ model, batches, optimizer, steps, seed: seed++, capture, progress: false });
    const { steps: records } = history;
    return {
      times: records.map(({ milliseconds }) => milliseconds),
      peakBytes: Math.max(...records.map(({ peakBytes }) => peakBytes)),
    };
  };
  const stop = () => {
    optimizer.dispose();
    model.dispose();
  };
  return { run, stop };
}

function startTorch(
  python: string,
  waiting: "active" | "passive",
  config: TransformerConfig,
  batches: Batches,
  rows: number,
  time: number,
): Runner {
  const { tell, ask, stop } = reference(python, "step.py", { OMP_WAIT_POLICY: waiting });
  const [batch] = batches;
  const { ids, labels } = batch!;
  tell(JSON.stringify({ ...config, rows, time, threads, ids: [...ids], labels: [...labels!] }));
  return { run: async (steps) => (await ask(String(steps))) as Measured, stop };
}
