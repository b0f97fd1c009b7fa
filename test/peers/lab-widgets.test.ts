/** Widgets in JupyterLab: a person moves them, and they outlive a reload of the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLab } from "./lab.ts";

const cells = [
  `import { IntSlider, interact } from "halftone/widgets";
import { figure } from "halftone";
const height = new IntSlider({ description: "height", min: 1, max: 9, value: 2 });
interact(({ height }) => figure({ data: [{ type: "bar", x: ["a"], y: [height] }],
  layout: { title: { text: "height " + height }, width: 500, height: 300 } }), { height })`,
  "height.value",
  `import { widget } from "halftone/anywidget";
const counter = widget({
  state: { count: 1 },
  render({ model, el }) {
    const button = document.createElement("button");
    const draw = (): void => { button.textContent = "count " + model.get("count"); };
    button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
    model.on("change:count", draw);
    draw();
    el.append(button);
  },
});
counter`,
  "counter.count",
  "counter.count = 41;",
  'const moved = await height.next(); "moved to " + moved',
  `import { adamW, arrayBatches, linear, modelOf, rand, type Tensor, train } from "halftone";
const points = rand([500, 2], { from: 1, low: -1, high: 1 });
const labels = Array.from({ length: 500 }, (_, i) => i % 2);
const net = linear({ in: 2, out: 2, from: 1 });
const model = modelOf(net, (batch: { points: Tensor<[number, 2]> }) => batch.points);
const batches = arrayBatches({ points, labels }, { batchSize: 50, seed: 1 });
const history = await train({ model, batches, optimizer: adamW(model.parameters), steps: 1e9, progress: "figure" });
[history.ended, new Set(history.steps.map(({ learningRate }) => learningRate)).size > 1]`,
];

const { page, open, cell, output, runCell, shoot } = await startLab(
  { "widgets.ipynb": cells },
  { width: 1200, height: 1300 },
);

const slider = () => output(0).locator(".jupyter-widgets .noUi-handle");
const title = (text: string) => output(0).locator(".js-plotly-plot .gtitle").getByText(text, { exact: true });

test("a slider that is dragged draws the figure anew", { timeout: 120_000 }, async () => {
  await open("widgets.ipynb");
  await runCell(0);
  await title("height 2").waitFor();
  await shoot("widgets-1-slider");
  const bar = (await output(0).locator(".noUi-base").boundingBox())!;
  const handle = (await slider().boundingBox())!;
  await page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await page.mouse.down();
  for (const share of [0.3, 0.5, 0.7, 0.9, 1]) await page.mouse.move(bar.x + bar.width * share, bar.y + 2);
  await page.mouse.up();
  await title("height 9").waitFor();
  assert.equal(await output(0).locator(".js-plotly-plot").count(), 1);
  await runCell(1);
  await output(1).getByText("9", { exact: true }).waitFor();
  await shoot("widgets-2-dragged");
});

test("a widget of one's own shows its state, and changes go both ways", { timeout: 60_000 }, async () => {
  await runCell(2);
  const button = output(2).getByRole("button", { name: "count 1" });
  await button.click();
  await output(2).getByRole("button", { name: "count 2" }).click();
  await output(2).getByRole("button", { name: "count 3" }).waitFor();
  await runCell(3);
  await output(3).getByText("3", { exact: true }).waitFor();
  await runCell(4);
  await output(2).getByRole("button", { name: "count 41" }).waitFor();
  await shoot("widgets-3-own");
});

test("a cell waits until a person moves the slider", { timeout: 60_000 }, async () => {
  await runCell(5);
  await page.locator('[data-status="busy"]').first().waitFor();
  await slider().focus();
  await slider().press("ArrowLeft");
  await output(5).getByText("moved to 8").waitFor();
});

/** On a loaded machine JupyterLab sometimes shows "model not found" in place of a widget, until the next reload. */
async function reloaded(): Promise<void> {
  for (let times = 1; ; times++) {
    await page.reload();
    try {
      await page.locator('[data-status="idle"]').first().waitFor();
      await title("height 8").waitFor();
      return await output(2).getByRole("button", { name: "count 41" }).waitFor();
    } catch (error) {
      if (times === 3) throw error;
    }
  }
}

test("after a reload of the page the widgets are as they were, and still move", { timeout: 300_000 }, async () => {
  await page.keyboard.press("Control+s");
  await page.locator(".jp-mod-dirty").first().waitFor({ state: "detached" });
  await reloaded();
  assert.equal(await output(0).locator(".widget-readout").textContent(), "8");
  await shoot("widgets-4-reloaded");
  await slider().focus();
  await slider().press("ArrowLeft");
  await title("height 7").waitFor();
});

test("a cell that is run again replaces its widgets", { timeout: 60_000 }, async () => {
  await runCell(0);
  await title("height 2").waitFor();
  assert.equal(await output(0).locator(".noUi-handle").count(), 1);
  await cell(0).scrollIntoViewIfNeeded();
  await shoot("widgets-5-again");
});

test("a training has a slider for the learning rate, and a Stop button that ends it", { timeout: 90_000 }, async () => {
  await runCell(6);
  const rate = output(6).locator(".jupyter-widgets .noUi-handle");
  await output(6).locator(".js-plotly-plot").waitFor();
  await rate.focus();
  await rate.press("ArrowRight");
  await output(6).locator(".widget-readout").getByText("1.12").waitFor();
  await shoot("widgets-6-training");
  await output(6).getByRole("button", { name: "Stop" }).click();
  await output(6).getByText("[ 'aborted', true ]").waitFor();
  await output(6).getByRole("button", { name: "Stopped" }).waitFor();
});
