import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook } from "./fixture.ts";

// A folder without packages, as a notebook that was written for tslab has it.
const { run } = openNotebook({ cwd: temporaryFolder() });

test("tslab's display calls show their media types, bytes as base64", async () => {
  const { outputs } = await run(`import * as tslab from "tslab";
tslab.display.html("<b>h</b>"); tslab.display.markdown("# m"); tslab.display.javascript("1"); tslab.display.latex("$x$");
tslab.display.svg("<svg/>"); tslab.display.text("t"); tslab.display.png(new Uint8Array([137, 80, 78, 71]));
tslab.display.raw("application/json", "{}");`);
  assert.deepEqual(
    outputs.map((output) => output.type === "display" && output.data),
    [
      { "text/html": "<b>h</b>" },
      { "text/markdown": "# m" },
      { "text/javascript": "1" },
      { "text/latex": "$x$" },
      { "image/svg+xml": "<svg/>" },
      { "text/plain": "t" },
      { "image/png": "iVBORw==" },
      { "application/json": "{}" },
    ],
  );
});

test("newDisplay replaces what it showed before", async () => {
  const { outputs } = await run("{ const place = tslab.newDisplay(); place.text('1'); place.text('2'); }");
  const [first, second] = outputs;
  assert.ok(first?.type === "display" && second?.type === "update");
  assert.equal(second.displayId, first.displayId);
  assert.deepEqual(second.data, { "text/plain": "2" });
});

test("require and a named import give the same tslab", async () => {
  assert.equal((await run('import { display } from "tslab"; require("tslab").display === display')).text, "true");
});

test("the names under which tslab notebooks import tfjs are checked and are one engine", async () => {
  const { text, error } =
    await run(`import * as tf from "@tensorflow/tfjs-node"; import * as other from "@tensorflow/tfjs";
const ones: tf.Tensor = tf.ones([2, 3]); [ones.shape, tf.ones === other.ones]`);
  assert.equal(error, undefined);
  assert.equal(text, "[ [ 2, 3 ], true ]");
});

/** Cells of tslab's own example notebooks (github.com/yunabe/tslab-examples, Apache-2.0), shortened. */
const examples: [cell: string, stdout: string][] = [
  ["let obj = {x: null};\nconsole.log('obj?.x?.z ==', obj?.x?.z);", "obj?.x?.z == undefined\n"],
  [
    "async function train(epochs, batchSize, modelSavePath) {\n  let epochBeginTime;\n  if (modelSavePath != null) console.log('Saved model');\n}\nawait train(20, 128, 'mnist');",
    "Saved model\n",
  ],
];

test("a notebook that imports tslab is checked without strict, as tslab checks it", async () => {
  const cwd = temporaryFolder();
  const typed = openNotebook({ cwd, types: { policy: "error" } });
  for (const [cell] of examples) assert.equal((await typed.run(cell)).error?.ename, "TypeScriptError", cell);
  assert.equal((await typed.run("import * as tslab from 'tslab'")).error, undefined);
  for (const [cell, expected] of examples) assert.equal((await typed.run(cell)).stdout, expected);
  const wrong = await typed.run("let num = 123.4;\nnum = 'tslab';");
  assert.match(String(wrong.error?.evalue), /Type 'string' is not assignable to type 'number'/);
});
