/** A wrong attribute is a type error before the cell runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFrontEnd } from "./front-end.ts";

const page = openFrontEnd({ types: { policy: "error", patience: 120_000 } });
const { run } = page;

/** The message of the type error, which keeps the cell from running. */
async function refused(code: string): Promise<string> {
  const opened = page.models.length;
  const { error } = await run(code);
  assert.equal(error?.ename, "TypeScriptError", code);
  assert.equal(page.models.length, opened, "the cell ran");
  return error!.evalue;
}

test("attributes of a widget have the types of ipywidgets' schema", async () => {
  const { error } =
    await run(`import { Dropdown, HBox, IntSlider, Layout, Link, SelectMultiple, Text, link } from "halftone/widgets";
    const slider = new IntSlider({ max: 10, layout: { width: "50%", overflow: null }, style: { handleColor: "red" } });
    const choice = new Dropdown({ options: ["small", "large"] });
    const value: number = slider.value;
    const size: "small" | "large" = choice.value;
    const label = new Text();
    new HBox({ children: [slider, choice], layout: new Layout({ width: "100%" }) });
    slider.layout.width = "3em";
    slider.layout = { border: "1px solid" };
    slider.style = { handleColor: "red" };
    const color: string | null = slider.style.handleColor;
    slider.observe("value", ({ old, value }) => { const sum: number = old + value; });
    choice.observe("value", ({ value }) => { const size: "small" | "large" = value; });
    link([slider, "value"], [slider, "max"]);
    const numbers: readonly (1 | 2)[] = new SelectMultiple({ options: { one: 1, two: 2 } }).value;`);
  assert.equal(error, undefined, error?.traceback.join("\n"));
});

test("a wrong name or type is refused", async () => {
  assert.match(await refused('new IntSlider({ value: "three" })'), /string/);
  assert.match(await refused("new IntSlider({ valu: 3 })"), /valu/);
  assert.match(await refused('slider.value = "three"'), /string/);
  assert.match(await refused('slider.set({ orientation: "diagonal" })'), /diagonal/);
  assert.match(await refused('slider.observe("valu", () => {})'), /valu/);
  const pythonsOrder = /^The name of the attribute comes first, then the function: `observe\("value", listener\)`/;
  assert.match(await refused('slider.observe(({ value }) => console.log(value), "value")'), pythonsOrder);
  assert.match(await refused('new IntSlider({ layout: { widht: "1px" } })'), /widht/);
  assert.match(await refused("new HBox({ children: [3] })"), /number/);
  assert.match(await refused('new Dropdown({ options: ["a", "b"], value: "c" })'), /"c"/);
  assert.match(await refused('choice.value = "medium"'), /medium/);
  assert.match(await refused('link([slider, "value"], [label, "value"])'), /value|never/);
  await refused('const text: string = await slider.next("value");');
});

test("the function of interact has its arguments' types", async () => {
  const { error } = await run(`import { interact } from "halftone/widgets";
    const shown = interact(({ rate, model, dropout, width, size, name }, signal) => {
      const all: [number, "a" | "b", boolean, 64 | 256, number, string, AbortSignal] = [rate, model, dropout, width, size, name, signal];
      return all;
    }, { rate: [1e-4, 1e-1], model: ["a", "b"], dropout: true, width: { narrow: 64, wide: 256 }, size: slider, name: "x" });
    const value: "a" | "b" = shown.values.model;
    shown.controls.rate.value = 0.01;`);
  assert.equal(error, undefined, error?.traceback.join("\n"));
  await refused("interact(({ n }) => n.length, { n: 3 })");
  await refused("interact(({ m }) => m, { n: 3 })");
  await refused('shown.controls.model.value = "c"');
});
