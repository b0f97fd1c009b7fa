/**
 * The same model, data, seeds and epochs under every batching strategy, and in PyTorch with the batches that transformers
 * makes, in turns: useful tokens a second, memory and accuracy, beside what the theory predicts.
 *
 *     npm run build && node dist/bench/batching.js [--data listops|snippets] [--seeds 3] [--epochs 3] [--examples 2048]
 *         [--max-length 128] [--features 64] [--layers 2]
 *
 * What a strategy can save is the padding that fixed rows have: four fifths of these expressions' rows at 128 tokens, half of
 * the snippets' rows at 192. On a machine that does other things too, read the speed-up by CPU time.
 *
 * 3 to 11 minutes of two cores. On 2 threads of an AMD CPU with AVX-512 (TensorFlow 2.21, PyTorch 2.15), accuracy as the mean of 3 seeds,
 * the most frequent answer being 11.9%:
 *
 *                       tokens/s   speed-up   by CPU time   in theory   peak       accuracy
 *     fixed length         46499      1.00x         1.00x       1.00x   36 MiB        35.3%
 *     dynamic length       48007      1.07x         1.07x       1.22x   40 MiB        35.9%
 *     uniform length      108436      2.42x         2.75x       4.14x   36 MiB        34.9%
 *     mega-batches        101509      2.18x         2.44x       3.79x   36 MiB        34.7%
 *     6 shapes            107767      2.32x         2.61x       3.52x   36 MiB        35.1%
 *     token budget        101094      2.17x         2.41x       4.11x    8 MiB        28.1%
 *     packed               76763      1.65x         2.05x       3.86x   11 MiB        34.1%
 *     PyTorch, fixed       11369      1.00x         1.00x              104 MiB        35.4%
 *     PyTorch, dynamic     14033      1.24x         1.21x              104 MiB        35.8%
 *     PyTorch, grouped     48304      4.25x         4.15x              104 MiB        34.7%
 *
 * Each row's speed-up is over the fixed length of the same library. New lengths are recorded before they are captured, which takes time.
 *
 * A token budget alone costs accuracy: its short sequences come in batches of a hundred, and get the weight of one step.
 *
 * Uniform length does not cost accuracy: over 24 seeds of 40 steps of 16 expressions it was 0.7 +- 1.2 points below fixed length, over 5
 * seeds of 400 steps 0.4 +- 0.6 (the loss 0.02 +- 0.02 above, and not above it with `noise: 0.3`, which costs padding).
 *
 * PyTorch runs under HALFTONE_TORCH_PYTHON, or python3, if that has `torch` (pip install torch numpy).
 */
import { parseArgs } from "node:util";
import {
  adamW,
  type Batches,
  bucketByLength,
  dynamicLengthBatches,
  epochWork,
  evaluate,
  fixedLengthBatches,
  formatBytes,
  languageSnippets,
  listOps,
  listOpsVocabulary,
  majorityShare,
  packedBatches,
  planStatistics,
  ready,
  runtimeInfo,
  type TransformerConfig,
  tokenBudgetBatches,
  train,
  trainBpe,
  transformerClassifier,
  uniformLengthBatches,
  warmUp,
} from "../src/index.ts";
import { median, reference, torchPython } from "./figures.ts";

interface Run {
  seconds: number;
  /** Processor time, of all threads: what a busy machine leaves comparable. */
  cpuSeconds: number;
  steps: number;
  useful: number;
  accuracy: number;
  peakBytes: number;
}

const { values: given } = parseArgs({
  options: {
    seeds: { type: "string", default: "3" },
    epochs: { type: "string", default: "3" },
    examples: { type: "string", default: "2048" },
    "max-length": { type: "string", default: "128" },
    features: { type: "string", default: "64" },
    layers: { type: "string", default: "2" },
    data: { type: "string", default: "listops" },
  },
});
const [seeds, epochs, count, maxLength, features, layers] = [
  given.seeds,
  given.epochs,
  given.examples,
  given["max-length"],
  given.features,
  given.layers,
].map(Number) as [number, number, number, number, number, number];
const batchSize = 32;
const held = 1000;
const peak = 2e-3;
const { examples, vocabularySize, classes } = given.data === "listops" ? expressions() : snippets();
const config: TransformerConfig = {
  vocabularySize,
  classes,
  maxLength,
  features,
  heads: 4,
  layers,
  hidden: 4 * features,
  dropout: 0.1,
};
const training = examples.slice(0, count);
const validation = [...uniformLengthBatches(examples.slice(count), { batchSize: 100 })];
const useful = training.reduce((sum, { tokens }) => sum + tokens.length, 0);
const mean = useful / count;

const strategies: Record<string, (seed: number) => Batches> = {
  "fixed length": (seed) => fixedLengthBatches(training, { seed, batchSize, maxLength }),
  "dynamic length": (seed) => dynamicLengthBatches(training, { seed, batchSize }),
  "uniform length": (seed) => uniformLengthBatches(training, { seed, batchSize }),
  "mega-batches": (seed) => uniformLengthBatches(training, { seed, batchSize, sort: "mega-batches" }),
  "6 shapes": (seed) => bucketByLength(training, { seed, batchSize, shapes: 6 }),
  "token budget": (seed) =>
    tokenBudgetBatches(training, { seed, maxTokens: Math.max(maxLength, Math.round(batchSize * mean)) }),
  packed: (seed) =>
    packedBatches(training, { seed, batchSize: Math.max(1, Math.round((batchSize * mean) / maxLength)), maxLength }),
};
/** What transformers has a counterpart for. */
const inTorch = ["fixed length", "dynamic length", "uniform length"];

await ready();
const { backend, version, device, threads } = runtimeInfo();
const python = torchPython();
console.log(
  `${backend} ${version} on the ${device}, ${threads} threads; ${count} sequences (${given.data}) of ${mean.toFixed(0)} tokens in the mean, ` +
    `at most ${maxLength}; ${config.layers} layers of ${features}; ${epochs} epochs, ${seeds} seeds, in turns; ` +
    `accuracy on ${held} others, of which the most frequent answer is ${(100 * majorityShare(examples.slice(count))).toFixed(1)}%`,
);

const torch = python ? startTorch(python) : undefined;
const mine = new Map<string, Run[]>();
const theirs = new Map<string, Run[]>();
const stepOverhead = await smallestStep();
for (let seed = 1; seed <= seeds; seed++) {
  for (const [name, strategy] of Object.entries(strategies)) {
    push(mine, name, await halftone(strategy(seed), seed));
    if (torch && inTorch.includes(name)) push(theirs, name, await torch.run(name, seed));
    process.stderr.write(`seed ${seed}, ${name}: ${mine.get(name)!.at(-1)!.seconds.toFixed(1)} s\n`);
  }
}
torch?.stop();

report("Halftone", mine);
if (torch) report("PyTorch, transformers' batches", theirs);
predict();

/** Which language a piece of source code is in: real text, real lengths. */
function snippets() {
  const languages = ["javascript", "typescript", "json", "markdown"] as const;
  const drawn = languageSnippets({ count: count + held, seed: 1, languages });
  const tokenizer = trainBpe(
    drawn.slice(0, count).map(({ text }) => text),
    { size: 512 },
  );
  const examples = drawn.map(({ text, label }) => ({ tokens: tokenizer.encode(text).slice(0, maxLength), label }));
  return { examples, vocabularySize: tokenizer.size, classes: languages.length };
}

function expressions() {
  const examples = listOps({ count: count + held, seed: 1, minLength: 6, maxLength });
  return { examples, vocabularySize: listOpsVocabulary.size, classes: 10 };
}

async function halftone(batches: Batches, seed: number): Promise<Run> {
  const model = transformerClassifier({ ...config, seed });
  const optimizer = adamW(model.parameters, { clipNorm: 1 });
  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) steps += batches.plan.epoch(epoch).length;
  const learningRate = warmUp({ peak, warmUp: warmUpSteps(steps), total: steps });
  const before = process.cpuUsage();
  const history = await train({ model, optimizer, batches, epochs, seed, learningRate, progress: false });
  const cpu = process.cpuUsage(before);
  const { accuracy } = evaluate(model, validation);
  optimizer.dispose();
  model.dispose();
  return {
    seconds: history.steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    steps,
    useful: history.steps.reduce((sum, { usefulTokens }) => sum + usefulTokens, 0),
    accuracy,
    peakBytes: Math.max(...history.steps.map(({ peakBytes }) => peakBytes)),
  };
}

/** Seconds of a step that computes next to nothing: what a step costs whatever its batch. Warms the backend up, too. */
async function smallestStep(): Promise<number> {
  const model = transformerClassifier(config);
  const optimizer = adamW(model.parameters, { clipNorm: 1 });
  const tiny = fixedLengthBatches([{ tokens: [1], label: 0 }], { batchSize: 1, maxLength: 1 });
  const { steps } = await train({ model, optimizer, batches: tiny, steps: 40, progress: false });
  optimizer.dispose();
  model.dispose();
  return median(steps.slice(10).map(({ milliseconds }) => milliseconds)) / 1000;
}

function report(title: string, runs: ReadonlyMap<string, Run[]>): void {
  console.log(`\n${title}`);
  console.log(
    row("", "useful tok/s", "speed-up", "(by seed)", "by CPU time", "steps", "peak", "accuracy", "(by seed)"),
  );
  const first = runs.get("fixed length")!;
  for (const [name, own] of runs) {
    const speed = own.map(({ seconds, useful }) => useful / seconds);
    const gains = own.map((run, i) => first[i]!.seconds / first[i]!.useful / (run.seconds / run.useful));
    const cpuGains = own.map(({ cpuSeconds }, i) => first[i]!.cpuSeconds / cpuSeconds);
    const accuracies = own.map(({ accuracy }) => accuracy);
    console.log(
      row(
        name,
        median(speed).toFixed(0),
        `${median(gains).toFixed(2)}x`,
        `${Math.min(...gains).toFixed(2)} to ${Math.max(...gains).toFixed(2)}`,
        `${median(cpuGains).toFixed(2)}x`,
        String(own[0]!.steps),
        formatBytes(Math.max(...own.map(({ peakBytes }) => peakBytes))),
        `${(100 * average(accuracies)).toFixed(1)}%`,
        accuracies.map((accuracy) => (100 * accuracy).toFixed(1)).join(" "),
      ),
    );
  }
}

/** What the plans alone say, beside what was measured. */
function predict(): void {
  console.log("\nTheory beside measurement: speed-up over fixed length");
  console.log(row("", "padding", "arithmetic", "with step", "measured", "by CPU time"));
  const workOf = (name: string) => epochWork(config, strategies[name]!(1).plan);
  const stepsOf = (name: string) => strategies[name]!(1).plan.epoch(0).length;
  const fixed = median(mine.get("fixed length")!.map(({ seconds }) => seconds)) / epochs;
  const rate = workOf("fixed length") / Math.max(1e-9, fixed - stepsOf("fixed length") * stepOverhead);
  for (const name of mine.keys()) {
    const seconds = workOf(name) / rate + stepsOf(name) * stepOverhead;
    const gain = (of: "seconds" | "cpuSeconds") =>
      median(mine.get(name)!.map((run, i) => mine.get("fixed length")![i]![of] / run[of]));
    console.log(
      row(
        name,
        `${(100 * planStatistics(strategies[name]!(1).plan).paddingShare).toFixed(1)}%`,
        `${(workOf("fixed length") / workOf(name)).toFixed(2)}x`,
        `${(fixed / seconds).toFixed(2)}x`,
        `${gain("seconds").toFixed(2)}x`,
        `${gain("cpuSeconds").toFixed(2)}x`,
      ),
    );
  }
  console.log(
    `arithmetic: floating-point operations of the matrix products; with step: plus ${(1000 * stepOverhead).toFixed(1)} ms a step whatever its batch`,
  );
}

function warmUpSteps(steps: number): number {
  return Math.ceil(steps / 10);
}

function push(into: Map<string, Run[]>, name: string, run: Run): void {
  into.set(name, [...(into.get(name) ?? []), run]);
}

function row(name: string, ...cells: string[]): string {
  return `  ${name.padEnd(16)}${cells.map((cell) => cell.padStart(16)).join("")}`;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function startTorch(python: string) {
  const { ask, stop } = reference(python, "batching.py");
  const pairs = (part: typeof examples) => part.map(({ tokens, label }) => [[...tokens], label]);
  const steps = epochs * Math.ceil(count / batchSize);
  const common = {
    ...{ ...config, threads, batchSize, epochs, peak, warmUp: warmUpSteps(steps) },
    examples: pairs(training),
    validation: pairs(examples.slice(count)),
  };
  const run = async (strategy: string, seed: number) =>
    (await ask(JSON.stringify({ ...common, strategy, seed }))) as Run;
  return { run, stop };
}
