import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.ts";
import { openFrontEnd } from "./front-end.ts";

const folder = temporaryFolder();
mkdirSync(path.join(folder, "node_modules/shout"), { recursive: true });
writeFileSync(path.join(folder, "node_modules/shout/package.json"), '{ "name": "shout", "main": "index.js" }');
writeFileSync(path.join(folder, "node_modules/shout/index.js"), "exports.shout = (text) => text.toUpperCase();");
writeFileSync(path.join(folder, "node_modules/shout/index.d.ts"), "export function shout(text: string): string;");
writeFileSync(
  path.join(folder, "dial.ts"),
  `import { shout } from "shout";
   import type { PageView } from "halftone/anywidget";
   export default { render({ model, el }: PageView<{ angle: number }>) { el.textContent = shout(String(model.get("angle"))); } };`,
);
writeFileSync(path.join(folder, "broken.ts"), 'import "nowhere"; export default { render() {} };');

const page = openFrontEnd({ cwd: folder, types: { policy: "error", patience: 120_000 } });
const { run, model, change, send } = page;

interface Shown {
  text: string;
  model: { set(name: string, value: unknown): void; saved: Record<string, unknown>; fire(event: string): void };
}

/** Runs a widget's module as the page does, with an element that only has text. */
async function show(state: Record<string, unknown>): Promise<Shown> {
  const url = `data:text/javascript,${encodeURIComponent(state._esm as string)}`;
  const { default: code } = await import(url);
  const listeners = new Map<string, () => void>();
  const now: Record<string, unknown> = { ...state };
  const pageModel = {
    saved: {} as Record<string, unknown>,
    get: (name: string) => now[name],
    set(name: string, value: unknown) {
      now[name] = value;
      pageModel.saved[name] = value;
    },
    save_changes() {},
    on: (event: string, listener: () => void) => listeners.set(event, listener),
    fire: (event: string) => listeners.get(event)?.(),
  };
  const el = { textContent: "" };
  await code.render({ model: pageModel, el });
  return {
    get text() {
      return el.textContent;
    },
    model: pageModel,
  };
}

test("a widget of one's own opens an anywidget model with its state and its code, without types and marks", async () => {
  const cell = await run(`import { widget } from "halftone/anywidget";
    const counter = widget({
      state: { count: 1, fontSize: "2em", rows: [[1, 2]] },
      async render({ model, el, signal }) {
        const size: string = model.get("fontSize");
        const { shout } = await import("shout");
        const draw = (): void => { el.textContent = shout("count ") + model.get("count") + size + await2; };
        const await2 = await Promise.resolve("!");
        model.on("change:count", draw);
        draw();
        model.set("count", model.get("count") + 1);
        model.save_changes();
      },
    });
    counter`);
  assert.equal(cell.error, undefined, cell.error?.traceback.join("\n"));
  assert.equal(cell.result?.["text/plain"], "AnyWidget()");
  const { _esm, layout, ...state } = model("Any").state;
  assert.match(layout as string, /^IPY_MODEL_/);
  assert.deepEqual(state, {
    _model_module: "anywidget",
    _model_name: "AnyModel",
    _model_module_version: "~0.11.*",
    _view_module: "anywidget",
    _view_name: "AnyView",
    _view_module_version: "~0.11.*",
    _view_count: null,
    _dom_classes: [],
    tabbable: null,
    tooltip: null,
    count: 1,
    fontSize: "2em",
    rows: [[1, 2]],
  });
  const shown = await show(model("Any").state);
  assert.equal(shown.text, "COUNT 12em!");
  assert.deepEqual(shown.model.saved, { count: 2 });
});

test("changes go both ways, and a wrong type from the page is refused", async () => {
  const cell = await run('counter.observe("count", ({ value }) => console.log("now", value));');
  await change(model("Any"), { count: 5, fontSize: "3em", _view_count: 1 });
  await cell.prints("now 5\n");
  assert.equal((await run("[counter.count, counter.fontSize]")).text, "[ 5, '3em' ]");
  await run("counter.count = 9; counter.layout.width = '50%';");
  assert.equal(model("Any").state.count, 9);
  await cell.prints("now 5\nnow 9\n");
  const maker = await run("const other = widget({ state: { on: true }, render() {}, css: '.a { color: red }' });");
  assert.equal(model("Any").state._css, ".a { color: red }");
  await send(model("Any"), { method: "update", state: { on: 1 }, buffer_paths: [] });
  assert.match((await maker.next("error")).evalue, /AnyWidget.on must be true or false, got 1/);
});

test("a file is bundled with what it imports, and its state is typed by it", async () => {
  await run(
    'const dial = widget<typeof import("./dial.ts")>({ state: { angle: 30 }, module: "./dial.ts" }); const angle: number = dial.angle;',
  );
  assert.equal((await show(model("Any").state)).text, "30");
  const { error } = await run('widget<typeof import("./dial.ts")>({ state: { angle: "x" }, module: "./dial.ts" })');
  assert.equal(error?.ename, "TypeScriptError");
});

test("wrong types, variables of the notebook, names of all widgets and imports that are not found are refused", async () => {
  const failing = async (code: string) => (await run(code)).error!;
  for (const code of [
    "widget({ state: { n: 1 }, render({ model }) { model.get('m'); } })",
    "widget({ state: { n: 1 }, render({ model }) { model.set('n', 'x'); } })",
    "counter.count = 'x'",
    "widget({ state: { n: 1 } })",
  ])
    assert.equal((await failing(code)).ename, "TypeScriptError", code);
  await run("const helper = () => 1;");
  assert.equal(
    (await failing("widget({ state: {}, render({ el }) { el.textContent = String(helper()); } })")).evalue,
    "widget: render runs in the page, which does not have helper of the notebook: put its value into state, or declare it inside render",
  );
  assert.match(
    (await failing("widget({ state: { layout: 1 }, render() {} })")).evalue,
    /state cannot have the name layout/,
  );
  assert.match(
    (
      await failing(
        "widget({ state: {}, async render() { await import('nowhere' as string); await import('not-there' as 'x'); } })",
      )
    ).evalue,
    /cannot be bundled for the page: Could not resolve "not-there"|cannot be bundled/,
  );
  assert.match(
    (await failing("widget({ state: {}, module: './broken.ts' } as never)")).evalue,
    /Could not resolve "nowhere".*broken.ts:1/,
  );
  assert.match(
    (await failing("widget({ state: { f: () => 1 }, render() {} })")).evalue,
    /AnyWidget.f must be a value that JSON can represent/,
  );
});
