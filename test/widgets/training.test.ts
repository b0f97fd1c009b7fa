/** The training figure's Stop button and its slider for the learning rate. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFrontEnd } from "./front-end.ts";

const page = openFrontEnd();
const { run, start, model, change, send } = page;
const control = {
  action: "open",
  id: "control",
  target: "jupyter.widget.control",
  data: {},
  metadata: {},
  buffers: [],
};

const setUp = `import { adamW, arrayBatches, layers, linear, tensor, train } from "halftone";
const model = linear({ in: 2, out: 1, from: 1 });
const data = arrayBatches({ inputs: tensor([[0, 1], [1, 0]]), labels: [0, 1] }, { batchSize: 2, seed: 1 });
const options = {
  model: { parameters: model.parameters, apply: (p: any, { inputs }: any) => model.apply(p, inputs) },
  batches: data, loss: (out: any, { inputs }: any) => out.square().mean(), optimizer: adamW(model.parameters, { learningRate: 0.01 }),
} as any;`;

test("Stop ends the training after a step, and the slider multiplies the rate of the steps that follow", async () => {
  const ready = await run(setUp);
  assert.equal(ready.error, undefined, ready.error?.traceback.join("\n"));
  await page.session.call("comm", control);
  const training = start(`let moved = () => {}; const seen = new Promise<void>((done) => { moved = done; });
    const history = await train({ ...options, steps: 1e9, progress: "figure",
      onStep: ({ step, learningRate }) => { if (step === 1) console.log("on"); if (learningRate === 0.1) moved(); } });
    [history.ended, history.steps[0].learningRate, history.steps.at(-1).learningRate]`);
  await training.prints("on\n");
  await change(model("FloatLogSlider"), { value: 10 });
  // The loop goes on until the new rate has been seen.
  await run("await seen", { lane: "other" });
  await send(model("Button"), { method: "custom", content: { event: "click" } });
  await training.ended;
  assert.equal(training.text, "[ 'aborted', 0.01, 0.1 ]", training.error?.traceback.join("\n"));
  assert.deepEqual([model("Button").state.description, model("Button").state.disabled], ["Stopped", true]);
  assert.equal(model("FloatLogSlider").state.disabled, true);
  assert.ok(
    training.outputs.some((output) => "data" in output && "application/vnd.jupyter.widget-view+json" in output.data),
  );
});

test("without a page that shows widgets there are none", async () => {
  const before = page.models.length;
  const cell = await page.unattended('(await train({ ...options, steps: 3, progress: "figure" })).ended');
  assert.equal(cell.text, "'all steps taken'", cell.error?.traceback.join("\n"));
  assert.ok(cell.outputs.length > 0);
  assert.equal(page.models.length, before);
});
