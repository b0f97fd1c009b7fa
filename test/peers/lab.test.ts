/** JupyterLab itself in a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLab } from "./lab.ts";

const tour = [
  "const greeting: string = 'Grüße 😀'; greeting.length",
  "while (true) {}",
  "greeting.toUp",
  `const show = Reflect.get(globalThis, Symbol.for("halftone.display"));
show({ "application/vnd.plotly.v1+json": { data: [{ type: "bar", x: ["a", "b", "c"], y: [2, 5, 3] }],
  layout: { title: { text: "Bars" }, width: 500, height: 300 } }, "text/plain": "a figure" })`,
  "for await (const step of progress(Array.from({ length: 40 }), { label: 'Training' })) await new Promise((go) => setTimeout(go, 100));",
  "const wrong: number = 'text'",
  `import { display, figure } from "halftone";
const drawn = (y: number) => figure({ data: [{ type: "bar", x: ["a"], y: [y] }], layout: { title: { text: "drawn " + y } } });
const place = display(drawn(1));`,
  "place.update(drawn(2)); place.update(drawn(3));",
];

const { page, open, cell, output, runCell, shoot } = await startLab(
  { "tour.ipynb": tour },
  { width: 1200, height: 1100 },
);

test("JupyterLab opens a notebook with the kernel", { timeout: 60_000 }, async () => {
  await open("tour.ipynb");
});

test("a cell runs and shows its value", { timeout: 60_000 }, async () => {
  await runCell(0);
  await output(0).getByText("8", { exact: true }).waitFor();
  await shoot("1-cell");
});

test("the interrupt button stops a loop and the variables survive", { timeout: 60_000 }, async () => {
  await runCell(1);
  await page.locator('[data-status="busy"]').first().waitFor();
  await page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
  await output(1).getByText("KeyboardInterrupt").first().waitFor();
  await runCell(0);
  await output(0).getByText("8", { exact: true }).waitFor();
  await shoot("2-interrupt");
});

test("Tab completes a method", { timeout: 60_000 }, async () => {
  const editor = cell(2).locator(".cm-content");
  await editor.click();
  await page.keyboard.press("End");
  await page.keyboard.press("Tab");
  const menu = page.locator(".jp-Completer");
  await menu.getByText("toUpperCase").first().waitFor();
  await shoot("3-completion");
  await page.keyboard.press("Enter");
  assert.match((await editor.textContent()) ?? "", /greeting\.toUpperCase/);
});

test("a plotly figure is drawn", { timeout: 60_000 }, async () => {
  await runCell(3);
  await output(3).locator(".js-plotly-plot .bars .point").nth(2).waitFor();
  await shoot("4-plotly");
});

test("a progress bar is a widget, advances and ends full", { timeout: 60_000 }, async () => {
  await runCell(4);
  const bar = output(4).locator(".jupyter-widgets .progress-bar");
  await bar.waitFor({ state: "attached" });
  const width = async (): Promise<number> => Number.parseFloat(await bar.evaluate((node) => node.style.width));
  await page.waitForFunction(
    () => Number.parseFloat(document.querySelector<HTMLElement>(".progress-bar")?.style.width ?? "0") > 20,
  );
  const early = await width();
  await shoot("5-progress");
  assert.ok(early < 100, `the bar was full at once: ${early} %`);
  await page.waitForFunction(() => document.querySelector<HTMLElement>(".progress-bar")?.style.width === "100%");
});

test("a type error is shown and the cell does not run", { timeout: 60_000 }, async () => {
  await runCell(5);
  await output(5).getByText("TS2322").first().waitFor();
  await shoot("6-types");
});

test("an updated figure is redrawn once, in place", { timeout: 60_000 }, async () => {
  await runCell(6);
  const titles = output(6).locator(".js-plotly-plot .gtitle");
  await output(6).getByText("drawn 1").waitFor();
  await runCell(7);
  await output(6).getByText("drawn 3").waitFor();
  assert.deepEqual(await titles.allTextContents(), ["drawn 3"]);
  await shoot("8-updated-figure");
});

test("restart forgets the variables", { timeout: 60_000 }, async () => {
  await page.locator('[data-command="notebook:restart-kernel"], [data-command="kernelmenu:restart"]').first().click();
  await page.locator(".jp-Dialog .jp-mod-accept").click();
  await page.locator(".jp-Dialog").waitFor({ state: "detached" });
  await page.locator('[data-status="idle"]').first().waitFor();
  await runCell(2);
  await output(2).getByText("greeting").first().waitFor();
  await shoot("7-restart");
});
