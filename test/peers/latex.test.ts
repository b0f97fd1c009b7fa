import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pixels } from "../../src/notebook/image-data.ts";
import { halftone } from "../cli/halftone.ts";
import { jupyter } from "./jupyter.ts";

const { run, notebook, folder } = await jupyter();

const figures = notebook("figures.ipynb", [
  "import { histogram } from 'halftone';\nhistogram([1, 2, 2, 3, 3, 3], { title: 'Three of three', x: 'value' })",
  `({ [Symbol.for("Jupyter.display")]: () => ({ "application/vnd.plotly.v1+json": {
    data: [{ type: "treemap", labels: ["all", "a", "b"], parents: ["", "all", "all"], values: [3, 2, 1] }],
    layout: { width: 400, height: 300 } } }) })`,
]);

test("figures are images in LaTeX, as a browser drew them, once `halftone images` was run", async () => {
  const executed = await run("jupyter", ["execute", figures, "--output", "executed"]);
  assert.equal(executed.status, 0, executed.stderr);
  const drawn = await halftone(["images", "executed.ipynb"], { cwd: folder });
  assert.match(drawn.stdout, /executed\.images\.ipynb: 2 figures drawn/, drawn.stderr);
  const { status, stderr } = await run("jupyter", ["nbconvert", "--to", "latex", "executed.images.ipynb"]);
  assert.equal(status, 0, stderr);
  const tex = readFileSync(path.join(folder, "executed.images.tex"), "utf8");
  const files = [...tex.matchAll(/\{([^{}]*\.png)\}/g)].map(([, file]) => file!);
  assert.equal(files.length, 2, tex.slice(-2000));
  const [ours, treemap] = files.map((file) => read(path.join(folder, file)));
  // The layouts' sizes, two pixels to one of CSS.
  assert.deepEqual([ours!.width, ours!.height], [1520, 720]);
  assert.deepEqual([treemap!.width, treemap!.height], [800, 600]);
  // Bars in the library's blue, #0072B2.
  assert.ok(ours!.pixels.includes(Buffer.from([0x00, 0x72, 0xb2, 0xff])), "no bar is drawn");
  assert.ok(new Set(treemap!.pixels).size > 10, "the treemap is blank");
});

test("a notebook without figures needs no browser, and one with figures reports a missing browser", async () => {
  const none = notebook("none.ipynb", ["1"]);
  const env = { PATH: path.dirname(process.execPath), HALFTONE_BROWSER: path.join(folder, "no-browser") };
  assert.match((await halftone(["images", none], { cwd: folder, env })).stdout, /0 figures drawn/);
  const { status, stderr } = await halftone(["images", "executed.ipynb"], { cwd: folder, env });
  assert.equal(status, 1);
  assert.match(stderr, /no-browser could not be started/);
});

function read(file: string): { width: number; height: number; pixels: Buffer } {
  const png = readFileSync(file);
  const { width, bytes } = pixels(png)!;
  return { width, height: png.readUInt32BE(20), pixels: Buffer.from(bytes) };
}
