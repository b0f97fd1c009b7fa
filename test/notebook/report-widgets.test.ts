/** Widgets in a report, in a real browser and without network. */
import assert from "node:assert/strict";
import os from "node:os";
import { after, before, test } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { type Notebook, parseNotebook } from "../../src/notebook/nbformat.ts";
import { renderPage } from "../../src/notebook/report/index.ts";
import { runNotebook } from "../../src/notebook/run.ts";
import { findBrowser } from "../../src/plot/browser.ts";
import { code, notebookJson } from "./cells.ts";

let browser: Browser;
before(async () => {
  browser = await chromium.launch({ executablePath: findBrowser()!, args: ["--no-sandbox"] });
});
after(() => browser.close());

async function executed(...sources: string[]): Promise<Notebook> {
  const notebook = parseNotebook(notebookJson(sources.map((source) => code(source))), "n.ipynb");
  const { status } = await runNotebook(notebook, { name: "n.ipynb", folder: os.tmpdir() });
  assert.equal(status, "ok");
  return notebook;
}

const render = (notebook: Notebook) => renderPage(notebook, { name: "n", folder: os.tmpdir() });

test("a slider in a report moves, and what is linked to it follows", async () => {
  const notebook = await executed(
    `import { frontEndLink, HBox, HTML, IntSlider, interact } from "halftone/widgets";
     const a = new IntSlider({ max: 12, value: 3 }); const b = new IntSlider({ max: 12, value: 3 });
     frontEndLink([a, "value"], [b, "value"]);
     new HBox({ children: [a, b, new HTML({ value: "<i onclick=alert(1)>x</i><script>document.title = 'bad'</script>" })] })`,
    'interact(({ n }) => "n is " + n, { n: 4 })',
  );
  const html = await render(notebook);
  assert.ok(html.length < 2_500_000, `${html.length} bytes`);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.setContent(html);
  const readouts = page.locator(".widget .widget-readout");
  await readouts.nth(2).waitFor();
  assert.deepEqual(await readouts.allTextContents(), ["3", "3", "4"]);
  await page.locator(".noUi-handle").first().press("ArrowRight");
  assert.deepEqual(await readouts.allTextContents(), ["4", "4", "4"]);
  assert.match((await page.locator(".widget").nth(1).textContent())!, /'n is 4'/);
  assert.notEqual(await page.title(), "bad");
  assert.deepEqual(errors, []);
  await page.close();
});

test("a page without widgets, or without their state, has none of Jupyter's code", async () => {
  const notebook = await executed('import { IntSlider } from "halftone/widgets"; new IntSlider({ value: 7 })');
  delete notebook.metadata.widgets;
  for (const each of [notebook, await executed("1")]) assert.ok((await render(each)).length < 60_000);
  assert.match(await render(notebook), /IntSlider\(7\)/);
});

test("a widget of one's own runs in a frame with its saved state, without Jupyter's code", async () => {
  const notebook = await executed(
    `import { widget } from "halftone/anywidget";
     const counter = widget({
       state: { count: 1, bytes: new Uint8Array([4, 2]) },
       css: "button { color: red }",
       render({ model, el }) {
         const button = document.createElement("button");
         const bytes = model.get("bytes");
         const draw = () => { button.textContent = "count " + model.get("count") + " " + bytes.getUint8(0); };
         button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
         model.on("change:count", draw);
         draw();
         el.append(button);
       },
     });
     counter.count = 5;
     counter`,
  );
  const html = await render(notebook);
  assert.ok(html.length < 60_000, `${html.length} bytes`);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.setContent(html);
  const button = page.frameLocator("iframe.frame").getByRole("button");
  await button.click();
  assert.equal(await button.textContent(), "count 6 4");
  assert.deepEqual(errors, []);
  await page.close();
});

test("a widget of one's own inside a box runs in its frame, and a figure that an Output has captured is drawn", async () => {
  const notebook = await executed(
    `import { interact, Tab } from "halftone/widgets"; import { widget } from "halftone/anywidget";
     import { figure } from "halftone";
     new Tab({ titles: ["first"], children: [widget({ state: {}, render: ({ el }) => { el.textContent = "drawn"; } })] })`,
    `interact(({ n }) => figure({ data: [{ type: "bar", x: ["a"], y: [n] }], layout: { title: { text: "n is " + n } } }), { n: 4 })`,
  );
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.setContent(await render(notebook));
  await page.locator(".widget").frameLocator("iframe.frame").getByText("drawn").waitFor();
  await page.locator(".widget .gtitle").getByText("n is 4", { exact: true }).waitFor();
  assert.equal(await page.getByText("Error creating widget").count(), 0);
  assert.deepEqual(errors, []);
  await page.close();
});
