import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findBrowser } from "../../src/plot/browser.ts";
import { codeBlocks } from "../docs/blocks.ts";
import { jupyter } from "./jupyter.ts";
import { forTslab, layOut, npm, packed, tslabProgram } from "./tslab.ts";

const { run, folder } = await jupyter();
const tarball = await packed(folder);

const kernel = path.join(folder, ".jupyter/share/jupyter/kernels/tslab-peer");
mkdirSync(kernel, { recursive: true });
writeFileSync(
  path.join(kernel, "kernel.json"),
  JSON.stringify({
    argv: [process.execPath, tslabProgram(), "kernel", "--config-path", "{connection_file}"],
    display_name: "tslab",
    language: "typescript",
  }),
);
layOut(tarball, folder);

/** The cell that the guide gives, as it stands there. */
const guide = fileURLToPath(new URL("../../../docs/from-tslab.md", import.meta.url));
const setUp = codeBlocks(guide).find(({ code }) => code.includes("halftone.display"))!.code;

interface Output {
  output_type: string;
  name?: string;
  text?: string[];
  data?: Record<string, string[]>;
}

async function inTslab(name: string, parameters: Record<string, number>): Promise<Output[]> {
  writeFileSync(path.join(folder, name), forTslab(name, parameters, setUp));
  const args = ["execute", name, "--kernel_name", "tslab-peer", "--inplace"];
  const { status, stderr } = await run("jupyter", args);
  assert.equal(status, 0, stderr);
  const { cells } = JSON.parse(readFileSync(path.join(folder, name), "utf8")) as { cells: { outputs?: Output[] }[] };
  return cells.flatMap(({ outputs = [] }) => outputs);
}
const shown = (outputs: Output[], type: string) =>
  outputs.flatMap(({ data }) => (data?.[type] ? [[data[type]].flat().join("")] : []));

test("npm resolves all dependencies of the packed library from the registry", () => {
  const project = path.join(folder, "project");
  mkdirSync(project);
  writeFileSync(path.join(project, "package.json"), '{ "private": true }');
  npm(["install", tarball, "--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit"], project);
  const { packages } = JSON.parse(readFileSync(path.join(project, "package-lock.json"), "utf8")) as {
    packages: Record<string, { resolved?: string }>;
  };
  assert.ok(packages["node_modules/halftone"]);
  assert.deepEqual(
    Object.keys(packages).filter((name) => name.includes("tensorflow")),
    [],
  );
  const elsewhere = Object.values(packages).flatMap(({ resolved }) => resolved ?? []);
  assert.deepEqual(
    elsewhere.filter((address) => !address.startsWith("file:")),
    [],
  );
});

test("notebook 1 runs in tslab's kernel with the same figures, tables and numbers", async () => {
  const outputs = await inTslab("01-fixed-padding.ipynb", { steps: 12, examples: 900, maxLength: 32 });
  assert.ok(shown(outputs, "text/html").some((html) => html.includes("6 of 810 training examples")));
  assert.ok(shown(outputs, "text/markdown").some((text) => /\*\*\d+\.\d% is\s+padding\.\*\*/.test(text)));
  assert.ok(shown(outputs, "application/vnd.plotly.v1+json").length >= 5);
});

test("notebook 0 runs in tslab's kernel, including the cell that fails on purpose", async () => {
  const small = { rows: 2, time: 32, depth: 2, longest: 256, chunk: 64, repeats: 1 };
  const outputs = await inTslab("00-why-out-of-memory.ipynb", small);
  const words = outputs.map(({ text }) => [text].flat().join("")).join("");
  assert.match(words, /OutOfMemoryError/);
  assert.ok(shown(outputs, "text/markdown").some((text) => text.includes("grow with the length to the power")));
});

test("a figure is saved as an image in the notebook's folder by tslab's kernel", {
  skip: findBrowser() ? false : "no Chromium or Chrome is on the PATH",
}, async () => {
  const source = ["import { figure } from 'halftone';\nawait figure({ data: [{ y: [1, 2] }] }).save('saved.png');"];
  const cell = { cell_type: "code", id: "save", metadata: {}, source, outputs: [], execution_count: null };
  writeFileSync(
    path.join(folder, "save.ipynb"),
    JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
  );
  const { status, stderr } = await run("jupyter", ["execute", "save.ipynb", "--kernel_name", "tslab-peer"]);
  assert.equal(status, 0, stderr);
  assert.equal(readFileSync(path.join(folder, "saved.png")).toString("latin1", 1, 4), "PNG");
});
