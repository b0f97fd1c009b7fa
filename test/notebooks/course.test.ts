import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { kernelInfo } from "../../kernel/jupyter/info.ts";
import { parseNotebook } from "../../src/notebook/nbformat.ts";
import { hasTag } from "../../src/notebook/parameters.ts";
import { schemaFaults } from "../notebook/schema.ts";

const folder = fileURLToPath(new URL("../../../notebooks", import.meta.url));
const course = readdirSync(folder)
  .filter((name) => name.endsWith(".ipynb"))
  .map((name) => {
    const json = readFileSync(`${folder}/${name}`, "utf8");
    return { name, json, notebook: parseNotebook(json, name) };
  });

test("the course is eight valid notebooks, committed without outputs", () => {
  assert.equal(course.length, 8);
  for (const { name, json, notebook } of course) {
    assert.deepEqual(schemaFaults(json), [], name);
    assert.equal(notebook.metadata.halftone, undefined, name);
    for (const cell of notebook.cells)
      if (cell.cell_type === "code") assert.deepEqual([cell.outputs, cell.execution_count], [[], null], name);
  }
});

test("each says its language just as the kernel does, so that editors colour it and saving it changes nothing", () => {
  for (const { name, notebook } of course) {
    assert.deepEqual(notebook.metadata.language_info, kernelInfo().language_info, name);
    const kernelspec = { name: "halftone", display_name: "TypeScript (Halftone)", language: "typescript" };
    assert.deepEqual(notebook.metadata.kernelspec, kernelspec, name);
  }
});

test("each asks, lets guess, measures, concludes, sets exercises and names its sources, with its parameters in one cell", () => {
  for (const { name, notebook } of course) {
    const words = notebook.cells.filter((cell) => cell.cell_type === "markdown").map(({ source }) => source);
    const text = words.join("\n\n");
    const parts = ["**The question.**", "**Your guess first.**", "## What we learned", "## Exercises", "## References"];
    const places = parts.map((part) => text.indexOf(part));
    assert.ok(
      places.every((place, at) => place >= 0 && place > (places[at - 1] ?? -1)),
      `${name}: ${parts.filter((_, at) => places[at]! < 0)}`,
    );
    assert.match(text.slice(places.at(-1)), /arxiv\.org\/abs\/\d{4}\.\d{5}/, name);
    for (const tag of ["parameters", "headline"]) {
      const tagged = notebook.cells.filter((cell) => cell.cell_type === "code" && hasTag(cell, tag));
      assert.equal(tagged.length, 1, `${name}: cells tagged ${tag}`);
    }
  }
});

test("no line of code is longer than 100 characters, in the course and in its assignments", () => {
  const assignments = readdirSync(`${folder}/assignments/source`).map((name) => {
    const file = `${folder}/assignments/source/${name}/${name}.ipynb`;
    return { name, notebook: parseNotebook(readFileSync(file, "utf8"), name) };
  });
  for (const { name, notebook } of [...course, ...assignments])
    for (const cell of notebook.cells.filter((each) => each.cell_type === "code"))
      for (const line of cell.source.split("\n")) assert.ok(line.length <= 100, `${name}, ${cell.id}: ${line}`);
});

test("validation is a share of the examples, so that the course runs with a few hundred", () => {
  const splits = course.flatMap(({ name, notebook }) =>
    notebook.cells.flatMap(({ source }) =>
      [...source.matchAll(/validation: ([\d.]+)/g)].map(([, size]) => ({ name, size: Number(size) })),
    ),
  );
  assert.equal(splits.length, 6);
  for (const { name, size } of splits) assert.ok(size > 0 && size < 0.5, `${name}: validation: ${size}`);
});

test("no number that a run could contradict stands in a notebook's conclusions as fixed text", () => {
  for (const { name, notebook } of course) {
    const at = notebook.cells.findIndex(({ source }) => source.startsWith("## What we learned"));
    assert.equal(notebook.cells[at]!.source.trim(), "## What we learned", name);
    const conclusions = notebook.cells[at + 1]!;
    assert.equal(conclusions.cell_type, "code", name);
    assert.match(conclusions.source, /markdown\(`[\s\S]*\$\{/, name);
  }
});
