import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../kernel/fixture.ts";
import { openFrontEnd } from "./front-end.ts";

const page = openFrontEnd();
const { run, start, model, change, send, unattended } = page;
await run('import { interact, IntSlider, Dropdown, Output } from "halftone/widgets";');

const outputs = () => model("Output").state.outputs as Record<string, unknown>[];
/** The outputs as text, streams and displayed values alike. */
const texts = () =>
  outputs().map(({ text, data, evalue }) => text ?? (data as Record<string, unknown>)?.["text/plain"] ?? evalue);
const shows = (...expected: unknown[]) =>
  until(() => JSON.stringify(texts()) === JSON.stringify(expected), `the output shows ${expected}, not ${texts()}`);

test("interact makes a widget for each argument, runs at once, and again when one is changed", async () => {
  const cell = await run(`interact(({ rate, layers, model, dropout, name }) => {
      console.log(model, dropout, name); return [rate, layers];
    }, { rate: [1e-4, 1e-1], layers: [1, 9], model: ["a", "b"], dropout: true, name: "x" })`);
  assert.equal(cell.result?.["application/vnd.jupyter.widget-view+json"] !== undefined, true);
  await shows("a true x\n", "[ 0.00316, 5 ]");
  const log = model("FloatLogSlider").state;
  assert.deepEqual([log.min, log.max, log.base, log.description], [-4, -1, 10, "rate"]);
  const { children } = model("VBox").state as { children: string[] };
  assert.deepEqual(
    children,
    ["FloatLogSlider", "IntSlider", "Dropdown", "Checkbox", "Text", "Output"].map(
      (name) => `IPY_MODEL_${model(name).id}`,
    ),
  );
  await change(model("IntSlider"), { value: 2 });
  await shows("a true x\n", "[ 0.00316, 2 ]");
});

test("an error is shown among the outputs, and the next change runs again", async () => {
  const code =
    "interact(({ n }) => { if (n > 5) throw new RangeError('too many'); return n; }, { n: new IntSlider({ value: 1 }) })";
  assert.ok((await run(code)).result);
  await shows("1");
  await change(model("IntSlider"), { value: 6 });
  await shows("too many");
  assert.equal(outputs()[0]!.ename, "RangeError");
  assert.doesNotMatch(String(outputs()[0]!.traceback), /__halftone/);
  await change(model("IntSlider"), { value: 2 });
  await shows("2");
});

test("an async body is aborted by a change, says nothing more, and the latest values win", async () => {
  const cell = await run(`const begun: number[] = []; const aborted: number[] = [];
    interact(async ({ n }, signal) => {
      begun.push(n);
      signal.addEventListener("abort", () => aborted.push(n));
      if (n < 3) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      console.log("done", n);
    }, { n: [1, 9, 1] }).controls.n.value = 1; undefined`);
  assert.equal(cell.error, undefined);
  for (const value of [2, 1, 2, 7]) await change(model("IntSlider"), { value });
  await shows("done 7\n");
  const begun = (await run("begun.join()")).text!;
  assert.match(begun, /^'5,(?:[12],)*7'$/);
  assert.equal((await run("begun.slice(1, -1).join() === aborted.join()")).text, "true");
});

test("without a person the cell ends after the first run of an async body", async () => {
  const cell = await unattended(
    `interact(async ({ n }) => { await new Promise((done) => setTimeout(done, 20)); return n; }, { n: 4 })`,
  );
  assert.equal(cell.result?.["text/plain"], "VBox([ IntSlider(4), Output() ])");
  assert.deepEqual(texts(), ["4"]);
});

test("a control that stands for no widget is refused by name", async () => {
  const failing = async (code: string): Promise<string> => (await run(code)).error!.evalue;
  assert.match(await failing("interact(() => {}, { f: () => 1 } as never)"), /^f must be a boolean, text, a number/);
  assert.match(
    await failing("interact(() => {}, { n: [5, 1] })"),
    /^n: \[min, max\] must be two finite numbers in order, got \[ 5, 1 \]/,
  );
  assert.match(
    await failing("interact(() => {}, { n: [16, 32, 64] })"),
    /needs a step above 0 and at most 16, got 64. For a choice among numbers pass new Dropdown/,
  );
  assert.match(await failing("interact(() => {}, { n: [] })"), /^n needs at least one option, got \[\]/);
  assert.match(await failing("interact(() => {}, { n: NaN })"), /^n must be a finite number, got NaN/);
  assert.match(await failing("interact({} as never, {})"), /^interact needs a function and its controls/);
});

test("close removes the controls and aborts the function", async () => {
  await run(`let reason: unknown; const open = interact((_, signal) => new Promise((done) => signal.addEventListener("abort", () => {
      reason = signal.reason.message; done(0);
    })), { n: 1 }); open.close();`);
  assert.equal((await run("reason")).text, "'the interaction was closed'");
  assert.deepEqual([model("IntSlider").closed, model("Output").closed, model("VBox").closed], [true, true, true]);
});

test("an Output has what code under capture says, also later and in observers; its cell has the rest", async () => {
  const cell = await run(`const out = new Output(); const other = new IntSlider();
    out.capture(() => {
      console.log("captured"); console.error("on stderr");
      setTimeout(() => { console.log("later"); }, 5);
      other.observe("value", ({ value }) => { console.log("moved", value); if (value > 50) throw new Error("far"); });
    });
    console.log("not captured");`);
  assert.equal(cell.stdout, "not captured\n");
  await until(() => texts().length === 3, "the timer has fired");
  assert.deepEqual(
    outputs().map(({ name, text }) => [name, text]),
    [
      ["stdout", "captured\n"],
      ["stderr", "on stderr\n"],
      ["stdout", "later\n"],
    ],
  );
  await change(model("IntSlider"), { value: 60 });
  await until(() => texts().length === 4, "the observer's error is shown");
  assert.deepEqual(texts().slice(2), ["later\nmoved 60\n", "far"]);
  assert.equal((await run("await out.show([1, 2]); out.outputs.length")).text, "5");
  await run("out.clear({ wait: true }); await out.show('x'); out.flush();");
  assert.deepEqual(texts(), ["'x'"]);
});

test("a loop that prints much under capture sends few updates, and ends with all of its text", async () => {
  const before = page.messages.length;
  await run(
    'const much = new Output(); much.capture(() => { for (let i = 0; i < 20_000; i++) console.log("line", i); });',
  );
  const text = texts()[0] as string;
  assert.equal(text.split("\n").length, 20_001);
  assert.match(text, /line 19999\n$/);
  assert.ok(page.messages.length - before < 200, `${page.messages.length - before} messages`);
});

test("a click while a cell computes is handled once it awaits", async () => {
  const cell = start(
    'import { Button } from "halftone/widgets"; const stop = new Button(); let on = true; stop.onClick(() => { on = false; });',
  );
  await cell.ended;
  const loop = start('console.log("on"); let rounds = 0; while (on) { rounds++; await new Promise(setImmediate); } on');
  await loop.prints("on\n");
  await send(model("Button"), { method: "custom", content: { event: "click" } });
  assert.equal((await loop.ended).text, "false");
});
