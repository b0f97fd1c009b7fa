/**
 * Tokens a second of a tokenizer.json here and in Python's `tokenizers` (Rust), on the e-mails of `spamAssassin`, in turns: text by
 * text, text by text with offsets, and in threads. The ids are compared first.
 *
 *     npm run build && node dist/bench/tokenizers.js path/to/tokenizer.json [--texts 3000] [--rounds 3]
 *
 * In thousands of tokens a CPU second, on two cores that eight other processes shared (tokenizers 0.23.3; GPT-2, Llama 2 and XLM-R are the
 * small tokenizers of test/data/text/fixtures):
 *
 *                              MiniLM   GPT-2   Llama 2   XLM-R
 *     text by text               1002    1595      1370     768
 *     with offsets                451     963       788     405
 *     two threads                 622    1248      1583     831
 *     Python, text by text        456    1127      2435    1259
 *     Python, two threads         502    1066      2026    1244
 *
 * Each round of this library starts without words that it knows, as a new process would. On a machine that does other things too,
 * read the tokens by CPU second. Python runs under HALFTONE_TORCH_PYTHON, or python3, if that has `tokenizers`.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { encodeTexts, spamAssassin, tokenizer } from "../src/index.ts";
import { median, reference, torchPython } from "./figures.ts";

interface Round {
  tokens: number;
  seconds: number;
  cpuSeconds: number;
}

const { values: given, positionals } = parseArgs({
  options: { texts: { type: "string", default: "3000" }, rounds: { type: "string", default: "3" } },
  allowPositionals: true,
});
const file = positionals[0];
if (file === undefined) throw new Error("expected the path of a tokenizer.json");
const { file: contents } = await tokenizer(file);
// Every text whole: neither side truncates or pads.
const whole = { ...contents, truncation: null, padding: null };
const texts = (await spamAssassin())
  .sort((a, b) => orderOf(a.id).localeCompare(orderOf(b.id)))
  .slice(0, Number(given.texts))
  .map(({ text }) => text);

/** The groups mixed, the same way each time. */
function orderOf(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}

async function timed(work: () => Promise<number> | number): Promise<Round> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const tokens = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { tokens, seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
}

const sides: Record<string, () => Promise<Round>> = {
  "text by text": async () => {
    const { encode } = await tokenizer(whole);
    return timed(() => texts.reduce((sum, text) => sum + encode(text).length, 0));
  },
  "with offsets": async () => {
    const { encoding } = await tokenizer(whole);
    return timed(() => texts.reduce((sum, text) => sum + encoding(text).ids.length, 0));
  },
  "two threads": async () => {
    const made = await tokenizer(whole);
    return timed(async () => {
      const examples = await encodeTexts(texts, { tokenizer: made, threads: 2 });
      return examples.reduce((sum, { tokens }) => sum + tokens.length, 0);
    });
  },
};

const folder = mkdtempSync(path.join(tmpdir(), "halftone-tokenizers-"));
const python = torchPython();
const peer = python ? reference(python, "tokenizers/time.py", { RAYON_NUM_THREADS: "2" }) : undefined;
try {
  if (peer) {
    writeFileSync(path.join(folder, "texts.json"), JSON.stringify(texts));
    writeFileSync(path.join(folder, "tokenizer.json"), JSON.stringify(whole));
    peer.tell(path.join(folder, "tokenizer.json"));
    peer.tell(path.join(folder, "texts.json"));
    sides["Python, text by text"] = async () => (await peer.ask("single")) as Round;
    sides["Python, two threads"] = async () => (await peer.ask("batch")) as Round;
  }
  const rounds = Object.fromEntries(Object.keys(sides).map((name): [string, Round[]] => [name, []]));
  for (let round = 0; round < Number(given.rounds); round++) {
    for (const [name, run] of Object.entries(sides)) rounds[name]!.push(await run());
  }
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  console.log(`${texts.length} texts, ${characters} characters, tokens a second (median of ${given.rounds})`);
  console.log(`${"".padEnd(22)}${"tokens".padStart(10)}${"by time".padStart(12)}${"by CPU time".padStart(14)}`);
  for (const [name, all] of Object.entries(rounds)) {
    const rate = (of: (round: Round) => number) => Math.round(median(all.map((each) => each.tokens / of(each))));
    const cells = [String(all[0]!.tokens).padStart(10), String(rate(({ seconds }) => seconds)).padStart(12)];
    console.log(name.padEnd(22) + cells.join("") + String(rate(({ cpuSeconds }) => cpuSeconds)).padStart(14));
  }
} finally {
  peer?.stop();
  rmSync(folder, { recursive: true });
}
