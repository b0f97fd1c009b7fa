import assert from "node:assert/strict";
import { test } from "node:test";
import { openFrontEnd } from "./front-end.ts";

const page = openFrontEnd();
const { run, start, model, change, send } = page;
await run(
  'import * as widgets from "halftone/widgets"; const { IntSlider, Label, HBox, Button, Text, Dropdown } = widgets;',
);

test("a new widget opens its comm with the state that ipywidgets sends, its parts as references", async () => {
  const ran = await run(
    'const slider = new IntSlider({ description: "layers", max: 12, value: 3, layout: { width: "50%" } }); slider',
  );
  const slider = model("IntSlider");
  assert.deepEqual(ran.result, {
    "application/vnd.jupyter.widget-view+json": { version_major: 2, version_minor: 0, model_id: slider.id },
    "text/plain": "IntSlider(3)",
  });
  assert.equal(slider.state.style, `IPY_MODEL_${model("SliderStyle").id}`);
  assert.equal(slider.state.layout, `IPY_MODEL_${model("Layout").id}`);
  assert.equal(model("Layout").state.width, "50%");
  const { style, layout, ...state } = slider.state;
  assert.deepEqual(state, {
    _dom_classes: [],
    _model_module: "@jupyter-widgets/controls",
    _model_module_version: "2.0.0",
    _model_name: "IntSliderModel",
    _view_module: "@jupyter-widgets/controls",
    _view_module_version: "2.0.0",
    _view_name: "IntSliderView",
    behavior: "drag-tap",
    continuous_update: true,
    description: "layers",
    description_allow_html: false,
    disabled: false,
    max: 12,
    min: 0,
    orientation: "horizontal",
    readout: true,
    readout_format: "d",
    step: 1,
    tabbable: null,
    tooltip: null,
    value: 3,
  });
  const [open] = page.messages.filter(({ id }) => id === slider.id);
  assert.deepEqual([open?.target, open?.metadata], ["jupyter.widget", { version: "2.1.0" }]);
});

test("a person's change reaches the program, is echoed to all pages, and observers run in their own cell", async () => {
  const observer = await run(
    'const unobserve = slider.observe("value", ({ old, value, isFromFrontEnd }) => console.log(old, value, isFromFrontEnd));',
  );
  const before = page.messages.length;
  await change(model("IntSlider"), { value: 7 });
  await observer.prints("3 7 true\n");
  assert.deepEqual(
    page.messages.slice(before).map(({ data }) => data),
    [{ method: "echo_update", state: { value: 7 }, buffer_paths: [] }],
  );
  assert.equal((await run("unobserve(); slider.value")).text, "7");
});

test("a change by the program is sent once, with all attributes that were set together", async () => {
  const before = page.messages.length;
  const set = await run("slider.set({ value: 4, readoutFormat: 'b' }); slider.value = 4;");
  assert.equal(set.error, undefined);
  assert.deepEqual(
    page.messages.slice(before).map(({ data }) => data),
    [{ method: "update", state: { value: 4, readout_format: "b" }, buffer_paths: [] }],
  );
});

test("values stay between min and max; a page that sent another is told", async () => {
  await change(model("IntSlider"), { value: 99 });
  assert.equal(model("IntSlider").state.value, 12);
  assert.equal((await run("slider.max = 5; slider.value")).text, "5");
  assert.equal((await run("slider.min = 6")).error?.evalue, "IntSlider: min is 6, above max, which is 5");
  assert.equal((await run("slider.min")).text, "0");
});

test("children are references, and a page that was loaded again gets the state of all widgets", async () => {
  await run('const box = new HBox({ children: [slider, new Label({ value: "ä" })] });');
  assert.deepEqual(model("HBox").state.children, [
    `IPY_MODEL_${model("IntSlider").id}`,
    `IPY_MODEL_${model("Label").id}`,
  ]);
  const control = { id: "control", state: {}, closed: false };
  await page.session.call("comm", {
    action: "open",
    id: "control",
    target: "jupyter.widget.control",
    data: {},
    metadata: {},
    buffers: [],
  });
  await send(control, { method: "request_states" });
  const { data } = page.messages.at(-1)!;
  const states = data.states as Record<string, { model_name: string; state: Record<string, unknown> }>;
  assert.equal(data.method, "update_states");
  assert.deepEqual(
    Object.keys(states),
    page.models.map(({ id }) => id),
  );
  assert.equal(states[model("IntSlider").id]!.model_name, "IntSliderModel");
  assert.equal(states[model("IntSlider").id]!.state.value, 5);
});

test("a cell that awaits next goes on when a person changes the widget, and a signal ends it", async () => {
  const waiting = start("const coming = slider.next(); console.log('waiting'); (await coming) * 100");
  await waiting.prints("waiting\n");
  await change(model("IntSlider"), { value: 2 });
  assert.equal((await waiting.ended).text, "200");
  const { error } = await run("await slider.next('value', { signal: AbortSignal.timeout(1) })");
  assert.equal(error?.ename, "TimeoutError");
});

test("next is refused where no person can change the widget", async () => {
  const { error } = await page.unattended("await slider.next()");
  assert.match(error!.evalue, /^next\(\) waits for a person to change the widget, and no front end shows it/);
});

test("an observer that throws is shown in its own cell, and the others are called", async () => {
  const first = await run('const stop = slider.observe("value", () => { throw new Error("broken") });');
  const second = await run('const stopSecond = slider.observe("value", ({ value }) => console.log("second", value));');
  await change(model("IntSlider"), { value: 3 });
  assert.equal((await first.next("error")).evalue, "broken");
  await second.prints("second 3\n");
  await run("stop(); stopSecond()");
});

test("linked attributes are equal, here and in the front end", async () => {
  await run(`const other = new IntSlider({ max: 5 }); const end = widgets.link([slider, "value"], [other, "value"]);
    widgets.frontEndLink([slider, "value"], [other, "value"]);`);
  await change(model("IntSlider"), { value: 4 });
  assert.equal((await run("[slider.value, other.value]")).text, "[ 4, 4 ]");
  assert.deepEqual(model("Link").state.target, [`IPY_MODEL_${model("IntSlider").id}`, "value"]);
  assert.equal((await run("end(); other.value = 1; slider.value")).text, "4");
});

test("a link needs widgets with these attributes, also in the front end", async () => {
  const failing = async (code: string): Promise<string> => (await run(code)).error!.evalue;
  for (const link of ["link", "frontEndLink", "directionalLink", "frontEndDirectionalLink"]) {
    const made = `widgets.${link}([slider, "value"], [slider, "valu"] as never)`;
    assert.match(await failing(made), /^IntSlider has no attribute valu; it has/, link);
    const ends = `(widgets.${link} as any)(slider, slider)`;
    assert.match(await failing(ends), /^a link needs a widget and the name of its attribute, \[slider, "value"\], got/);
  }
});

test("another widget of the same class is a change", async () => {
  await run("const one = new Label(); const two = new Label(); const holder = new HBox({ children: [one] });");
  const holder = model("HBox");
  await run("holder.children = [two]; holder.layout = { width: '40%' };");
  assert.deepEqual(holder.state.children, [`IPY_MODEL_${model("Label").id}`]);
  assert.equal(holder.state.layout, `IPY_MODEL_${model("Layout").id}`);
  assert.equal(model("Layout").state.width, "40%");
  const options = "class Size { #n; constructor(n) { this.#n = n; } valueOf() { return this.#n; } }";
  const chosen = `${options} const sizes = [new Size(1), new Size(2)]; new Dropdown({ options: sizes, value: sizes[1] }).index`;
  assert.equal((await run(chosen)).text, "1");
});

test("a layout's border sets all sides that are not set with it", async () => {
  await run('const framed = new Label({ layout: { border: "1px solid", borderTop: "none" } });');
  const { border, border_top, border_left } = model("Layout").state;
  assert.deepEqual([border, border_top, border_left], [undefined, "none", "1px solid"]);
});

test("a Tab shows its first page until another is chosen", async () => {
  await run("const tab = new widgets.Tab(); const pages = [new Label(), new Label()]; tab.children = pages;");
  assert.equal(model("Tab").state.selected_index, 0);
  await run("tab.selectedIndex = 1; tab.children = pages.toReversed();");
  assert.equal(model("Tab").state.selected_index, 1);
  await run("new widgets.Tab({ children: pages, selectedIndex: null });");
  assert.equal(model("Tab").state.selected_index, null);
});

test("observers that set attributes without an end are stopped, and the cell goes on", async () => {
  const { text, error } = await run(`const endless = new IntSlider({ max: 1e6 });
    endless.observe("value", ({ value }) => { endless.value = value + 1; }); endless.value = 1; "went on"`);
  assert.equal(text, "'went on'");
  assert.match(error!.evalue, /^observers of IntSlider change widgets without an end: 100 changes/);
});

test("a widget cannot be drawn inside itself: a page would never end", async () => {
  const failing = async (code: string): Promise<string> => (await run(code)).error!.evalue;
  await run(
    "const outer = new HBox(); const inside = new HBox({ children: [outer] }); const out = new widgets.Output();",
  );
  assert.match(await failing("outer.children = [inside]"), /^HBox.children: a widget cannot be inside itself/);
  await run("outer.children = [out];");
  assert.match(
    await failing("await out.show(inside)"),
    /^an Output cannot show itself, or a widget that it is inside of/,
  );
  assert.equal((await run("await out.show(slider); inside")).text, "HBox([ HBox([ Output() ]) ])");
});

test("bytes travel beside the state, both ways", async () => {
  await run('const image = new widgets.Image({ value: new Uint8Array([1, 2, 255]), format: "png" });');
  const open = page.messages.findLast(({ action }) => action === "open")!;
  assert.deepEqual(
    [open.data.buffer_paths, open.buffers],
    [[["value"]], [Buffer.from([1, 2, 255]).toString("base64")]],
  );
  await send(model("Image"), { method: "update", state: {}, buffer_paths: [["value"]] }, [new Uint8Array([7])]);
  assert.equal((await run("image.value")).text, "Uint8Array(1) [ 7 ]");
});

test("custom messages go both ways; a click and Enter are among them", async () => {
  const cell =
    await run(`const button = new Button({ description: "go" }); button.onClick(() => console.log("clicked"));
    button.onMessage((content, buffers) => console.log(content, buffers.length)); button.send({ a: 1 }, [new Uint8Array([5])]);
    const text = new Text({ value: "x" }); text.onSubmit((value) => console.log("submitted", value));`);
  const sent = page.messages.findLast(({ id }) => id === model("Button").id)!;
  assert.deepEqual([sent.data, sent.buffers], [{ method: "custom", content: { a: 1 } }, ["BQ=="]]);
  await send(model("Button"), { method: "custom", content: { event: "click" } });
  await send(model("Text"), { method: "custom", content: { event: "submit" } });
  await cell.prints("clicked\n{ event: 'click' } 0\nsubmitted x\n");
});

test("defaults are ipywidgets' own, also where an attribute may be null", async () => {
  const { text } = await run(
    "[new widgets.FloatSlider().step, new widgets.FloatLogSlider().step, new widgets.FileUpload().description]",
  );
  assert.equal(text, "[ 0.1, 0.1, 'Upload' ]");
});

test("a choice has the options' type; the page knows labels and positions", async () => {
  await run('const choice = new Dropdown({ options: ["small", "large"], value: "large" });');
  const { _options_labels, index, value, options } = model("Dropdown").state;
  assert.deepEqual([_options_labels, index, value, options], [["small", "large"], 1, undefined, undefined]);
  await change(model("Dropdown"), { index: 0 });
  assert.equal((await run("choice.value")).text, "'small'");
  await run("choice.options = { two: 2, three: 3 };");
  assert.deepEqual((await run("[choice.value, choice.index]")).text, "[ 2, 0 ]");
  const { error } = await run("choice.value = 'none'");
  assert.equal(error?.evalue, "Dropdown.value must be one of its options [ 2, 3 ], got 'none'");
  await run(`const many = new widgets.SelectMultiple({ options: new Map([["a", 1], ["b", 2]]) });
    const range = new widgets.SelectionRangeSlider({ options: ["x", "y", "z"], value: ["y", "z"] });`);
  await change(model("SelectMultiple"), { index: [1, 0] });
  assert.equal((await run("[many.value, range.index]")).text, "[ [ 2, 1 ], [ 1, 2 ] ]");
});

test("days and times are text here and numbers there", async () => {
  await run(`const day = new widgets.DatePicker({ value: "2026-02-28" });
    const clock = new widgets.Time({ value: "09:05:30.250" });
    const instant = new widgets.Datetime({ value: new Date("2026-11-30T13:00:00Z") });
    const local = new widgets.NaiveDatetime({ value: "2026-11-30T13:45" });`);
  assert.deepEqual(model("DatePicker").state.value, { year: 2026, month: 1, date: 28 });
  assert.deepEqual(model("Time").state.value, { hours: 9, minutes: 5, seconds: 30, milliseconds: 250 });
  const noon = { year: 2026, month: 10, date: 30, hours: 13, minutes: 0, seconds: 0, milliseconds: 0 };
  assert.deepEqual(model("Datetime").state.value, noon);
  assert.deepEqual(model("NaiveDatetime").state.value, { ...noon, minutes: 45 });
  await change(model("DatePicker"), { value: { year: 2027, month: 0, date: 1 } });
  await change(model("Datetime"), { value: { ...noon, hours: 14 } });
  assert.equal(
    (await run("[day.value, instant.value.toISOString()]")).text,
    "[ '2027-01-01', '2026-11-30T14:00:00.000Z' ]",
  );
  for (const none of ["2026-13-01", "2026-02-30"])
    assert.match((await run(`day.value = '${none}'`)).error!.evalue, /^DatePicker.value must be a day, such as/);
});

test("an uploaded file has its bytes", async () => {
  await run("const upload = new widgets.FileUpload();");
  const file = { name: "a.txt", type: "text/plain", size: 2, last_modified: 0 };
  const data = { method: "update", state: { value: [file] }, buffer_paths: [["value", 0, "content"]] };
  await send(model("FileUpload"), data, [Buffer.from("hi")]);
  const { text } = await run(
    "const [file] = upload.value; [file.name, file.lastModified.getTime(), Buffer.from(file.content).toString()]",
  );
  assert.equal(text, "[ 'a.txt', 0, 'hi' ]");
});

test("what a widget does not take is refused, nothing is changed, and the page is told what holds", async () => {
  const failing = async (code: string): Promise<string> => (await run(code)).error!.evalue;
  assert.equal(await failing("slider.value = 'three'"), "IntSlider.value must be an integer, got 'three'");
  assert.match(await failing("new IntSlider({ valu: 3 })"), /^IntSlider has no attribute valu; it has .*, value$/);
  assert.match(await failing("slider.observe('valu', () => {})"), /^IntSlider has no attribute valu/);
  const order = /^the name of the attribute comes first, then the function: observe\("value", listener\)/;
  assert.match(await failing("slider.observe(() => {}, 'value')"), order);
  assert.equal(await failing("slider.observe('value')"), "a listener must be a function, got undefined");
  assert.match(await failing("new IntSlider(3)"), /^IntSlider takes an object of its attributes, .* got 3$/);
  assert.match(await failing("slider.set({ value: 1, max: 'x' })"), /^IntSlider.max must be an integer/);
  const cell = await run("const kept = new IntSlider({ value: 4 });");
  const kept = model("IntSlider");
  await send(kept, { method: "update", state: { value: "9", nonsense: 1, description: "d" }, buffer_paths: [] });
  const { evalue } = await cell.next("error");
  assert.match(evalue, /IntSlider.value must be an integer, got '9'; IntSlider has no attribute nonsense/);
  assert.equal((await run("[kept.value, kept.description]")).text, "[ 4, 'd' ]");
  assert.equal(page.messages.at(-1)!.data.method, "update");
  assert.equal(kept.state.value, 4);
  await send(kept, { method: "update", state: {}, buffer_paths: [["__proto__", "x"]] }, [new Uint8Array(1)]);
  assert.match((await cell.next("error")).evalue, /^buffer 0 of 1 has no place in the state/);
});

test("a message with more bytes than a pipe can carry is refused with its size", async () => {
  const { error } = await run("new widgets.Image({ value: new Uint8Array(300 << 20) })");
  assert.equal(error?.evalue, "the bytes of a widget's message must be at most 256 MB, got 300 MB: send them in parts");
});

test("close removes the widget from the page; setting it afterwards is an error, its value remains", async () => {
  const waiting = start(
    "const gone = new IntSlider({ value: 8 }); setTimeout(() => gone.close(), 5); await gone.next()",
  );
  assert.equal((await waiting.ended).error?.evalue, "IntSlider was closed before value changed");
  assert.equal(model("IntSlider").closed, true);
  assert.equal((await run("gone.value")).text, "8");
  assert.match(
    (await run("gone.value = 1")).error!.evalue,
    /^IntSlider is closed, by close\(\) or because its cell was run again/,
  );
});

test("a cell that is run again closes what it had made, and nothing else", async () => {
  await run("const first = new IntSlider();", { cellKey: "a" });
  const first = model("IntSlider");
  await run("const second = new IntSlider();", { cellKey: "b" });
  const second = model("IntSlider");
  await run("const first = new IntSlider({ value: 1 });", { cellKey: "a" });
  assert.deepEqual([first.closed, second.closed, model("IntSlider").closed], [true, false, false]);
});

test("a cell runs whose earlier widget throws or never returns as it is closed", async () => {
  const { error } = await run(
    "class Throws extends IntSlider { override close() { super.close(); throw new Error('not yet'); } } new Throws();",
    { cellKey: "c" },
  );
  assert.equal(error, undefined);
  const again = await run("1 + 1", { cellKey: "c" });
  assert.deepEqual([again.text, again.error?.evalue], ["2", "not yet"]);
  await run("class Endless extends IntSlider { override close() { super.close(); while (true) {} } } new Endless();", {
    cellKey: "d",
  });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 200);
  const stopped = await run("'after'", { cellKey: "d", signal: abort.signal });
  assert.deepEqual([stopped.error?.ename, stopped.text], ["KeyboardInterrupt", undefined]);
  assert.equal((await run("'after'", { cellKey: "d" })).text, "'after'");
});

test("a front end without widgets closes them, and the program goes on", async () => {
  await run("const unseen = new IntSlider();");
  await page.session.call("comm", { action: "close", id: model("IntSlider").id, data: {}, metadata: {}, buffers: [] });
  const { text, error } = await run("unseen.value = 5; unseen.value");
  assert.deepEqual([text, error], ["5", undefined]);
  assert.deepEqual(Object.keys((await run("unseen")).result!), ["text/plain"]);
});
