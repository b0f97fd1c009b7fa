/**
 * Time and peak memory of a training step, beside the same model in PyTorch on the CPU, in turns and with as many threads.
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
  resident: number;
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
const { backend, version, device, threads } = runtimeInfo();
const python = torchPython();
console.log(`${backend} ${version} on the ${device}, ${threads} threads; ${rounds} rounds of ${STEPS} steps, in turns`);

for (const { rows, time, ...sizes } of settings) {
  const config: TransformerConfig = { ...common, ...sizes, hidden: 4 * sizes.features, maxLength: time };
  const examples = listOps({ count: rows, seed: 1, minLength: time / 4, maxLength: time });
  const batches = fixedLengthBatches(examples, { batchSize: rows, maxLength: time });
  const torch = python ? startTorch(python, config, batches, rows, time) : undefined;
  const ours = await halftone(config, batches);
  const mine: Measured[] = [];
  const theirs: Measured[] = [];
  await ours.run(3);
  await torch?.run(3);
  for (let round = 0; round < rounds; round++) {
    mine.push(await ours.run(STEPS));
    if (torch) theirs.push(await torch.run(STEPS));
  }
  torch?.stop();
  ours.stop();

  const predicted = predictTransformerMemory(config, { rows, time }).total;
  console.log(`\n${rows} x ${time} tokens, ${sizes.layers} layers of ${sizes.features}, dropout ${sizes.dropout}`);
  report("fastest step", mine, theirs, ({ times }) => Math.min(...times), milliseconds);
  report("median step", mine, theirs, ({ times }) => median(times), milliseconds);
  report("peak of tensors", mine, theirs, ({ peakBytes }) => peakBytes, formatBytes);
  report("peak resident", mine, theirs, ({ resident }) => resident, formatBytes);
  console.log(`  predicted from the sizes alone: ${formatBytes(predicted)}`);
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function report(
  what: string,
  mine: Measured[],
  theirs: Measured[],
  pick: (measured: Measured) => number,
  show: (value: number) => string,
): void {
  const ours = median(mine.map(pick));
  const line = `  ${what.padEnd(16)} halftone ${show(ours).padStart(10)}`;
  if (theirs.length === 0) {
    console.log(line);
    return;
  }
  const torch = median(theirs.map(pick));
  const ratios = mine.map((each, i) => pick(each) / pick(theirs[i]!)).sort((a, b) => a - b);
  const range = `${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)}`;
  console.log(`${line}   PyTorch ${show(torch).padStart(10)}   ratio ${(ours / torch).toFixed(2)} (${range})`);
}

async function halftone(config: TransformerConfig, batches: Batches) {
  const model = transformerClassifier(config);
  const optimizer = adamW(model.parameters, { clipNorm: 1 });
  let seed = 0;
  const run = async (steps: number): Promise<Measured> => {
    const history = await train({ model, batches, optimizer, steps, seed: seed++, progress: false });
    const { steps: records } = history;
    return {
      times: records.map(({ milliseconds }) => milliseconds),
      peakBytes: Math.max(...records.map(({ peakBytes }) => peakBytes)),
      resident: process.resourceUsage().maxRSS * 1024,
    };
  };
  const stop = () => {
    optimizer.dispose();
    model.dispose();
  };
  return { run, stop };
}

function startTorch(python: string, config: TransformerConfig, batches: Batches, rows: number, time: number) {
  const { tell, ask, stop } = reference(python, "step.py");
  const [batch] = batches;
  const { ids, labels } = batch!;
  tell(JSON.stringify({ ...config, rows, time, threads, ids: [...ids], labels: [...labels!] }));
  return { run: async (steps: number) => (await ask(String(steps))) as Measured, stop };
}
