import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installHint } from "../../kernel/compile/install-hint.ts";
import type { CompletionItem } from "../../kernel/protocol/inspection.ts";
import { deferred } from "../deferred.ts";
import { openNotebook } from "../kernel/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { patience } from "./notebook.ts";

const cwd = temporaryFolder();
mkdirSync(join(cwd, "data"));
writeFileSync(join(cwd, "data", "train.csv"), "a,b\n");
writeFileSync(join(cwd, "shapes.ts"), "export const side = 3;\n");
const { session, run } = openNotebook({ cwd, types: { policy: "error", patience } });

/** Completes where the mark stands. */
async function complete(marked: string): Promise<{ texts: string[]; items: CompletionItem[]; replaced: string }> {
  const cursor = marked.indexOf("¦");
  const code = marked.replace("¦", "");
  const { start, end, items } = await session.complete(code, cursor);
  return { texts: items.map(({ text }) => text), items, replaced: code.slice(start, end) };
}

test("completes members of an earlier cell's value, with type and documentation", async () => {
  await run(
    "class Model {\n  /** Trains for some epochs. */\n  fit(epochs: number) { return [epochs]; }\n  layers = 2;\n}\nconst model = new Model();",
  );
  const { items, replaced } = await complete("model.f¦");
  assert.deepEqual(items, [
    {
      text: "fit",
      kind: "method",
      signature: "(method) Model.fit(epochs: number): number[]",
      documentation: "Trains for some epochs.",
    },
  ]);
  assert.equal(replaced, "f");
  assert.deepEqual((await complete("model.¦")).texts, ["fit", "layers"]);
});

test("completes members inside incomplete code", async () => {
  assert.deepEqual((await complete("if (model.lay¦")).texts, ["layers"]);
  assert.deepEqual((await complete("for (const x of [model.fit(2).fl¦\nconst y = (")).texts, ["flat", "flatMap"]);
  assert.deepEqual((await complete(`const text = \`\${model.fi¦}\``)).texts, ["fit"]);
});

test("completes names of earlier cells, of this cell and of JavaScript", async () => {
  assert.ok((await complete("mod¦")).texts.includes("model"));
  assert.ok((await complete("const inCell = 1;\ninC¦")).texts.includes("inCell"));
  assert.ok((await complete("Arr¦")).texts.includes("Array"));
  assert.ok((await complete("const x: Mod¦")).texts.includes("Model"));
});

test("names from the checker's own files are not offered", async () => {
  const { texts } = await complete("¦");
  assert.deepEqual(
    texts.filter((text) => /\$\$|__halftone/.test(text)),
    [],
  );
});

test("completion prefers the typed case and falls back to any case", async () => {
  assert.deepEqual((await complete("model.FIT¦")).texts, ["fit"]);
});

test("completes keys of an object and members of a union of strings", async () => {
  await run("type Mode = 'fast' | 'slow'; function go(mode: Mode, options: { deep: boolean; wide?: number }) {}");
  assert.deepEqual((await complete("go('fast', { d¦ })")).texts, ["deep"]);
  assert.deepEqual((await complete("go('fast', { ¦ })")).texts, ["deep", "wide"]);
  const { texts, replaced } = await complete("go('f¦')");
  assert.deepEqual(texts, ["fast"]);
  assert.equal(replaced, "f");
  assert.deepEqual((await complete("const m: Mode = '¦'")).texts, ["fast", "slow"]);
});

test("completes packages, subpaths and files in an import, and their exports", async () => {
  assert.ok((await complete("import fs from 'node:f¦'")).texts.includes("node:fs"));
  const { texts } = await complete("import { x } from 'half¦'");
  assert.ok(texts.includes("halftone") && texts.includes("halftone/nn"));
  const { texts: subpaths } = await complete("import { x } from 'halftone/¦'");
  const modules = [
    "amp",
    "anywidget",
    "batching",
    "data",
    "display",
    "memory",
    "nn",
    "plot",
    "storage",
    "train",
    "widgets",
  ];
  assert.deepEqual(subpaths, modules);
  assert.ok((await complete("import { lin¦ } from 'halftone/nn'")).texts.includes("linear"));
  assert.ok((await complete("import { side } from './sh¦'")).texts.some((text) => text.startsWith("shapes")));
  assert.deepEqual((await complete("import { sid¦ } from './shapes.ts'")).texts, ["side"]);
  assert.ok((await complete("import { readFileS¦ } from 'node:fs'")).texts.includes("readFileSync"));
});

test("completes file paths in other strings", async () => {
  const { texts, replaced } = await complete("open('data/tr¦')");
  assert.deepEqual(texts, ["train.csv"]);
  assert.equal(replaced, "tr");
  assert.deepEqual((await complete('open("da¦')).texts, ["data/"]);
});

test("completes magics, their arguments and their paths", async () => {
  assert.deepEqual((await complete("%ty¦")).texts, ["%types"]);
  assert.deepEqual((await complete("%types w¦")).texts, ["warn"]);
  assert.deepEqual((await complete("%cd da¦")).texts, ["data/"]);
  assert.deepEqual((await complete("!cat data/tr¦")).texts, ["train.csv"]);
  assert.deepEqual((await complete("%env\nmodel.la¦")).texts, ["layers"]);
});

test("exports of halftone are offered, and the type error shows the import", async () => {
  const { items } = await complete("einsu¦");
  const line = 'import { einsum } from "halftone"';
  assert.deepEqual(items, [{ text: "einsum", kind: "function", signature: line, import: line }]);
  const { error } = await run("einsum('ij->ji', 1)");
  assert.match(error!.traceback.join("\n"), /halftone exports it: import \{ einsum \} from "halftone"/);
  const typed = await run("let options: ApplyOptions");
  assert.match(
    typed.error!.traceback.join("\n"),
    /halftone exports it: import \{ type ApplyOptions \} from "halftone"/,
  );
});

test("name? of the library has an example from the guides, and the import where there is none yet", async () => {
  const page = async (name: string) => String((await run(`${name}?`)).outcome.page?.["text/markdown"]);
  const help = await page("einsum");
  assert.match(help, /^`import \{ einsum \} from "halftone"`\n\n```/);
  assert.match(help, /\n\nExample \(docs\/[\w-]+\.md\):\n```typescript\n[\s\S]*\beinsum\("[\s\S]*\n```$/);
  await run("/** Adds one.\n * @example\n * plusOne(1) // 2\n */\nfunction plusOne(x: number) { return x + 1 }");
  assert.match(await page("plusOne"), /Adds one\.[\s\S]*\*@example\*[\s\S]*plusOne\(1\) \/\/ 2/);
  // A variable of the notebook with the name of an export is its own.
  await run("const softmax = (x: number) => x;");
  assert.doesNotMatch(await page("softmax"), /Example|import/);
});

test("the type error for a missing package shows how to install it", async () => {
  const told = async (code: string) => (await run(code)).error?.traceback.join("\n") ?? "";
  assert.match(await told('import x from "not-there/sub"'), /install it in a cell: %install not-there$/m);
  assert.match(await told('import x from "@not/there"'), /%install @not\/there$/m);
  assert.doesNotMatch(await told('import x from "./not-there.ts"'), /%install/);
});

test("completes while a cell runs, with the names that it declares", async () => {
  const started = deferred();
  const code =
    "let busy = [1];\nconsole.log('started');\nconst until = Date.now() + 1500;\nwhile (Date.now() < until);";
  const running = run(code, { onOutput: () => started.resolve() });
  await started.promise;
  assert.deepEqual((await complete("busy.findLastI¦")).texts, ["findLastIndex"]);
  const ended = await Promise.race([running.then(() => true), Promise.resolve(false)]);
  assert.equal(ended, false);
  assert.equal((await running).stdout, "started\n");
});

test("an inspected variable shows its type, its documentation and its value", async () => {
  await run("/** Rows of the table. */\nlet rows: number[] | undefined = [1, 2, 3];");
  await run("rows = [4, 5];");
  const data = await session.inspect("rows", 2, 0);
  assert.match(String(data?.["text/markdown"]), /^```typescript\nlet rows: number\[\][^`]*```\nRows of the table\./);
  assert.match(String(data?.["text/plain"]), /^let rows: number\[\]/);
  assert.match(String(data?.["text/plain"]), /\[ 4, 5 \]/);
});

test("an inspected function shows its signature and its JSDoc as Markdown", async () => {
  await run("/**\n * Adds up.\n * @param a the first\n */\nfunction plus(a: number, b = 2) { return a + b; }");
  const data = await session.inspect("const x = plus(1)", 11, 0);
  assert.equal(
    data?.["text/markdown"],
    "```typescript\nfunction plus(a: number, b?: number): number\n```\nAdds up.\n\n*@param* `a` — the first",
  );
});

test("inspecting between a call's parentheses shows the next parameter", async () => {
  const data = await session.inspect("plus(1, )", 8, 0);
  assert.match(String(data?.["text/plain"]), /^plus\(a: number, b\?: number\): number\n\n\*\*`b\?: number`\*\*/);
});

test("blank text has no inspection, and a magic has its description", async () => {
  assert.equal(await session.inspect("   ", 1, 0), undefined);
  assert.match(String((await session.inspect("%types warn", 3, 0))?.["text/plain"]), /%types \[error\|warn\|off\]/);
});

/** A second mention of a variable, or a block around it all, has the cell itself asked. */
const askedOfTheCell = (marked: string) => `{ /* model size */ ${marked}\n}`;

test("a completion without the cell's context equals one with it", async () => {
  await run(
    "const size = { rows: 1, columns: 'x' as string | undefined }; let grows: string | number = 1; enum Kind { A, B }",
  );
  const cells = [
    "model.¦",
    "const x = 1;\nmodel.la¦",
    "await size.¦",
    "size.columns = size2(size.¦)",
    "grows.¦",
    "Kind.¦",
  ];
  for (const cell of [
    ...cells,
    "const a = [model.¦]",
    `\`a \${size.ro¦} b\``,
    "const own = 1; size¦",
    "f({ a: s¦ })",
  ]) {
    // TypeScript may find a package to import from only while it is asked, and another one the next time.
    const found = new Set<string>();
    for (let before = -1; before < found.size; ) {
      before = found.size;
      for (const text of (await complete(askedOfTheCell(cell))).texts) found.add(text);
    }
    const [plain, asked] = [await complete(cell), await complete(askedOfTheCell(cell))];
    assert.deepEqual([...plain.texts].sort(), [...asked.texts].sort(), cell);
    assert.equal(plain.replaced, asked.replaced);
  }
});

test("a name that the cell declares or narrows is not completed as the notebook's", async () => {
  assert.ok((await complete("(size: string[]) => size.¦")).texts.includes("map"));
  assert.ok((await complete("for (const size of ['a']) { size.¦ }")).texts.includes("charAt"));
  assert.ok((await complete("if (typeof grows === 'string') grows.¦")).texts.includes("charAt"));
  assert.deepEqual((await complete("type T = Kind.¦")).texts, ["A", "B"]);
  const signature = async (code: string, at: number) => (await session.inspect(code, at, 0))?.["text/plain"];
  assert.match(String(await signature("const [model] = [1 as number];", 7)), /const model: number/);
  assert.match(String(await signature("const { a: model } = { a: 'x' };", 12)), /const model: string/);
  assert.match(String(await signature("[1].map((model) => 1)", 10)), /model: number/);
  assert.match(String(await signature("[model]", 2)), /const model: Model/);
});

test("completion of an imported file follows edits", async () => {
  await run("import * as shapes from './shapes.ts'");
  assert.deepEqual((await complete("shapes.¦")).texts, ["side"]);
  writeFileSync(join(cwd, "shapes.ts"), "export const corner = 3, edge = 4;\n");
  assert.deepEqual((await complete("shapes.¦")).texts, ["corner", "edge"]);
});

test("names of a cell that still runs are completed", async () => {
  const running = run("const later = { depth: 1 }; await new Promise(() => {})");
  const deadline = Date.now() + patience;
  while (!(await complete("later.¦")).texts.includes("depth")) assert.ok(Date.now() < deadline);
  assert.match(String((await session.inspect("later", 2, 0))?.["text/plain"]), /const later: \{\s*depth: number/);
  session.interrupt();
  assert.equal((await running).error?.ename, "KeyboardInterrupt");
});

test("the install hint for danfojs has the overrides of the kernel's package.json", () => {
  const exec = (pattern: RegExp, text: string) => pattern.exec(text);
  const hint = installHint("danfojs-node", exec);
  const given = JSON.parse(`{${/"overrides": .*/.exec(hint)![0]}}`).overrides;
  const own = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  for (const name of ["xlsx", "@tensorflow/tfjs-node"]) assert.equal(given[name], own.overrides[name], name);
  assert.ok(hint.endsWith(`npm install danfojs-node@${own.peerDependencies["danfojs-node"]} --ignore-scripts`), hint);
  assert.equal(installHint("left-pad", exec), "install it in a cell: %install left-pad");
});

test("a cell of a megabyte is completed and inspected from the text around the cursor", async () => {
  const lines = "const other = [1, 2].map((v) => v + 1);\n".repeat(30_000);
  for (const before of [lines, `"${"1".repeat(100_000)}";\n`, `${"(".repeat(100_000)}\n`]) {
    assert.deepEqual((await complete(`${before}model.lay¦`)).texts, ["layers"], before.slice(0, 10));
    const code = `${before}model`;
    assert.match(String((await session.inspect(code, code.length - 1, 0))?.["text/plain"]), /const model: Model/);
  }
});

test("a word of 100,000 digits or letters has no completions", async () => {
  for (const word of ["1".repeat(100_000), "a".repeat(100_000), "é".repeat(100_000)]) {
    const { start, items } = await session.complete(`model;\n${word}`, 7 + word.length);
    assert.deepEqual([start, items], [7 + word.length, []], word.slice(0, 4));
  }
});

test("an unknown name is not found", async () => {
  assert.equal(await session.inspect("nowhere", 3, 0), undefined);
  assert.equal(await session.inspect("model.nowhere", 8, 0), undefined);
});

test("inspecting an option in an object literal shows the option's documentation", async () => {
  await run(
    "interface Options {\n/** How far each step goes. */\nrate?: number;\n/** Which way. */\nmode?: 'up' | 'down' }\nfunction walk(steps: number, options: Options = {}) { return steps; }",
  );
  const inspected = async (marked: string) => {
    const at = marked.indexOf("¦");
    return String((await session.inspect(marked.replace("¦", ""), at, 0))?.["text/plain"]);
  };
  for (const cell of [
    "walk(1, { ra¦te: 0.1 })",
    "walk(1, { rate: 0.¦1 })",
    "walk(1, { mode: 'up', rate: ¦ })",
    "walk(1, { rate: ¦",
  ])
    assert.match(await inspected(cell), /\(property\) Options\.rate\?: number[\s\S]*How far each step goes/, cell);
  assert.match(await inspected("walk(1, { rate: 0.1, mode: 'u¦p' })"), /mode\?: [\s\S]*Which way/);
  assert.match(await inspected("walk(¦1)"), /walk\(steps: number/);
});
