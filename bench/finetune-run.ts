// One fine-tuning run of this library in a process of its own, so that its memory is its own. Started by bench/finetune.ts with the
// path of a job; prints a line of JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { adamW, evaluate, fixedLengthBatches, pretrained, train, uniformLengthBatches } from "../src/index.ts";

/** What either side is given. */
export interface Job {
  /** Of the model. */
  folder: string;
  train: { tokens: number[]; label: number }[];
  validation: { tokens: number[]; label: number }[];
  /** `"grouped"` leaves Trainer its own batches by `group_by_length`; `"uniform"` gives it those of this library. */
  batching: "fixed" | "uniform" | "grouped";
  precision: "float32" | "bfloat16";
  batchSize: number;
  maxLength: number;
  epochs: number;
  learningRate: number;
  seed: number;
  threads: number;
}

/** What either side answers. */
export interface Run {
  /** Wall time of the training, the making of batches included. */
  seconds: number;
  /** Processor time of all threads. */
  processor: number;
  /** Most resident memory during the training, above what the process had before its first step. */
  peak: number;
  /** Most resident memory of the process during the training. */
  whole: number;
  /** Most bytes of tensors, where the side counts them. */
  tensors?: number;
  accuracy: number;
  steps: number;
  /** Rows times width of all batches. */
  positions: number;
}

/** The batches of both sides. */
export function batchesOf({ train, batching, batchSize, maxLength, seed }: Job) {
  if (batching === "fixed") return fixedLengthBatches(train, { batchSize, maxLength, seed });
  return uniformLengthBatches(train, { batchSize, seed });
}

/** A line of Linux's figures of this process, in bytes. */
function statusOf(name: "VmRSS" | "VmHWM"): number {
  const found = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"));
  return 1024 * Number(found![1]);
}

async function run(job: Job): Promise<Run> {
  const model = await pretrained(job.folder, { head: "sequenceClassification" });
  const optimizer = adamW(model.parameters, { learningRate: job.learningRate, clipNorm: 1, weightDecay: 0 });
  const batches = batchesOf(job);
  // 5 sets the peak of resident memory to what is resident now.
  writeFileSync("/proc/self/clear_refs", "5");
  const before = statusOf("VmRSS");
  const [began, used] = [performance.now(), process.cpuUsage()];
  const { steps } = await train({
    ...{ model, batches, optimizer, epochs: job.epochs, seed: job.seed, progress: false },
    ...(job.precision === "bfloat16" && { autocast: "bfloat16" }),
  });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  const whole = statusOf("VmHWM");
  const { metrics } = evaluate(model, uniformLengthBatches(job.validation, { batchSize: job.batchSize }));
  return {
    ...{ seconds, processor: (user + system) / 1e6, peak: whole - before, whole, accuracy: metrics.accuracy! },
    tensors: Math.max(...steps.map(({ peakBytes }) => peakBytes)),
    steps: steps.length,
    positions: steps.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

if (import.meta.filename === process.argv[1]) {
  console.log(JSON.stringify(await run(JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Job)));
}
