import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type Notebook as NotebookFile, parseNotebook } from "../../src/notebook/nbformat.ts";
import { runNotebook } from "../../src/notebook/run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook, type Ran, until } from "./fixture.ts";

const cwd = temporaryFolder();
const { run, start, session } = openNotebook({ cwd, types: { policy: "off" } });

const bundles = (ran: Ran) =>
  ran.outputs.flatMap((output) => ("data" in output ? [[output.type, output.data] as const] : []));

test("Deno.jupyter's tags, display and image show their media types", async () => {
  assert.deepEqual(bundles(await run(`Deno.jupyter.md\`# \${1 + 1} things\``)), [
    ["result", { "text/markdown": "# 2 things" }],
  ]);
  assert.deepEqual(bundles(await run(`const { html, svg } = Deno.jupyter; html\`<b>\${undefined}x</b>\`;`)), [
    ["result", { "text/html": "<b>x</b>" }],
  ]);
  const shown = await run(`await Deno.jupyter.display(svg\`<svg/>\`, { display_id: "a" });
    await Deno.jupyter.display({ "text/html": "<i>new</i>" }, { raw: true, display_id: "a", update: true });`);
  assert.deepEqual(bundles(shown), [
    ["display", { "image/svg+xml": "<svg/>" }],
    ["update", { "text/html": "<i>new</i>" }],
  ]);
  writeFileSync(path.join(cwd, "dot.png"), Buffer.from("89504e470d0a1a0a00", "hex"));
  const [image] = bundles(await run('Deno.jupyter.image("./dot.png")'));
  assert.equal(image?.[1]["image/png"], "iVBORw0KGgoA");
  assert.match(
    (await run("Deno.jupyter.image(new Uint8Array(3))")).error?.evalue ?? "",
    /expected the bytes or the path of a PNG or JPEG/,
  );
});

test("a class shows itself by Deno.jupyter.$display or Symbol.for, also from a promise", async () => {
  const code = `class Temperature {
    constructor(private celsius: number) {}
    [Deno.jupyter.$display]() { return { "text/plain": this.celsius + " C", "text/html": "<b>" + this.celsius + "</b>" }; }
  }
  new Temperature(21)`;
  assert.deepEqual(bundles(await run(code)), [["result", { "text/plain": "21 C", "text/html": "<b>21</b>" }]]);
  assert.deepEqual(
    await run('(await Deno.jupyter.format(new Temperature(3)))["text/plain"]').then(({ text }) => text),
    "'3 C'",
  );
  const lazy = '({ [Symbol.for("Jupyter.display")]: async () => ({ "text/markdown": "later" }) })';
  assert.deepEqual(bundles(await run(lazy)), [["result", { "text/markdown": "later" }]]);
});

test("broadcast sends displays, their updates, streams and comms, and names what else it cannot send", async () => {
  const ran =
    await run(`await Deno.jupyter.broadcast("display_data", { data: { "text/html": "1" }, metadata: {}, transient: { display_id: "b" } });
    await Deno.jupyter.broadcast("update_display_data", { data: { "text/html": "2" }, metadata: {}, transient: { display_id: "b" } });
    await Deno.jupyter.broadcast("stream", { name: "stdout", text: "said" });
    await Deno.jupyter.broadcast("comm_open", { comm_id: "c", target_name: "t", data: { x: 1 } });
    await Deno.jupyter.broadcast("comm_msg", { comm_id: "c", data: { y: 2 } }, { buffers: [new Uint8Array([1])] });`);
  assert.equal(ran.stdout, "said");
  assert.deepEqual(bundles(ran), [
    ["display", { "text/html": "1" }],
    ["update", { "text/html": "2" }],
  ]);
  assert.deepEqual(
    ran.comms.map(({ action, id, data, buffers }) => ({ action, id, data, buffers })),
    [
      { action: "open", id: "c", data: { x: 1 }, buffers: [] },
      { action: "message", id: "c", data: { y: 2 }, buffers: ["AQ=="] },
    ],
  );
  assert.match(
    (await run('await Deno.jupyter.broadcast("shutdown", {})')).error?.evalue ?? "",
    /sends display_data, .*got shutdown/,
  );
});

test("prompt, confirm and alert wait for the answer without an await", async () => {
  const asked: string[] = [];
  const answers = ["Ada", "", "y", ""];
  const onInput = async ({ prompt, password }: { prompt: string; password: boolean }) => {
    asked.push(`${prompt}${password ? " (hidden)" : ""}`);
    return answers.shift()!;
  };
  const { text } = await run(
    'const a = prompt("Name"); [a, prompt("Key", "none", { password: true }), confirm("Sure?"), alert("Done")]',
    { onInput },
  );
  assert.equal(text, "[ 'Ada', 'none', true, undefined ]");
  assert.deepEqual(asked, ["Name", "Key [none] (hidden)", "Sure? [y/N] ", "Done [Enter] "]);
  assert.match((await run("prompt('Name')")).error?.evalue ?? "", /this front end cannot ask for input/);
});

test("Stop ends a cell that waits in prompt, and keeps the variables", async () => {
  let asks = 0;
  const waiting = start("let kept = 7; prompt('Never')", {
    onInput: () => {
      asks++;
      return new Promise(() => {});
    },
  });
  await until(() => asks === 1, "the cell asks");
  session.interrupt();
  assert.equal((await waiting.ended).error?.ename, "KeyboardInterrupt");
  assert.equal((await run("kept")).text, "7");
  // An answer that comes late is not the answer to the next question.
  assert.equal((await run("prompt('Next')", { onInput: async () => "now" })).text, "'now'");
});

test("only cells see Deno, and a member that needs Deno itself says so", async () => {
  assert.equal(
    (await run('[typeof Deno, "Deno" in globalThis, typeof (globalThis as any).Deno, { Deno: 1 }.Deno]')).text,
    "[ 'object', false, 'undefined', 1 ]",
  );
  assert.equal((await run("const Deno = { own: 1 }; Deno.own")).text, "1");
  assert.equal((await run('Deno.writeTextFileSync("t.txt", "text"); await Deno.readTextFile("t.txt")')).text, "'text'");
  assert.match(
    (await run("Deno.serve(() => 1)")).error?.evalue ?? "",
    /^Deno\.serve is not offered by this kernel, .*node:fs/,
  );
  const { error } = await run('import { VERSION } from "https://deno.land/std/version.ts"; VERSION');
  assert.match(
    error?.evalue ?? "",
    /^'https:\/\/deno\.land\/std\/version\.ts' cannot be imported, because this kernel runs on Node/,
  );
});

test("a canvas and a chart of vega-lite-api show themselves", async () => {
  const canvas = 'const c = { getContext() {}, toDataURL: () => "data:image/png;base64,AAAA" }; c';
  assert.equal((await run(canvas)).result?.["image/png"], "AAAA");
  const chart = '({ toSpec: () => ({ $schema: "https://vega.github.io/schema/vega-lite/v5.json", mark: "bar" }) })';
  assert.deepEqual((await run(chart)).result?.["application/vnd.vegalite.v5+json"], {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    mark: "bar",
  });
});

test("types are not checked from the first use of Deno on, unless a policy is set", async () => {
  const { run: checked } = openNotebook({ cwd, types: {}, env: { ...process.env, HALFTONE_TYPES: undefined } });
  assert.match((await checked("const n: number = 'x'")).error?.ename ?? "", /TypeScriptError/);
  const first = await checked(
    "function wide(el) { return { [Deno.jupyter.$display]: () => ({ 'text/html': el }) } }; wide('<b>')",
  );
  assert.deepEqual(bundles(first), [
    [
      "display",
      {
        "text/plain":
          "halftone: types are not checked, as in Deno, because this notebook uses Deno; %types error checks them",
      },
    ],
    ["result", { "text/html": "<b>" }],
  ]);
  assert.equal((await checked("const m: number = 'x'; m;")).text, "'x'");
});

/** Deno's public example notebooks, github.com/rgbkrk/denotebooks (BSD-3-Clause): cells of 01, 02 and 02.7, as they are there. */
const example = [
  'console.log("%c Hello Deno ", "background-color: #15803d; color: #fff");\n',
  'import os from "node:os";\n',
  'let url = new URL("https://deno.land/manual/introduction");\n',
  "const { display, html, md } = Deno.jupyter;\n",
  `let count = 61_290;\n\nmd\`# Signup Report\n\nThis month had **\${count.toLocaleString()}** signups!\n\`;\n`,
  "await display(\n    {\n        'application/json': {'a': 2, 'b': 3, 'c': {'ok': true } },\n        'text/plain': 'ok'\n    },\n    { raw: true }\n)",
];

test("cells of Deno's example notebooks run unchanged under halftone run", async () => {
  const cells = example.map((source, index) => ({
    id: `c${index}`,
    cell_type: "code",
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  const metadata = { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } };
  const notebook: NotebookFile = parseNotebook(
    JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }),
    "example.ipynb",
  );
  const { status } = await runNotebook(notebook, { name: path.join(cwd, "example.ipynb"), folder: cwd });
  assert.equal(status, "ok");
  const shown = notebook.cells.map((cell) =>
    cell.cell_type === "code"
      ? cell.outputs.map((each) =>
          "data" in each ? Object.keys(each.data as object) : "text" in each ? each.text : each,
        )
      : [],
  );
  assert.deepEqual(shown, [[" Hello Deno \n"], [], [], [], [["text/markdown"]], [["application/json", "text/plain"]]]);
});
