import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { afterEach, describe, test } from "node:test";
import { display, displaySymbol, html, inNotebook, markdown, mimeBundle, table } from "../../src/display/index.ts";
import { ready } from "../../src/runtime/index.ts";

// danfojs imports tfjs, and the runtime provides the loaded one.
await ready();

type Shown = [data: Record<string, unknown>, options: { displayId?: string; update?: boolean }];

const { DataFrame } = createRequire(import.meta.url)("danfojs-node") as typeof import("danfojs-node");
const host = Symbol.for("halftone.display");
const globals = globalThis as unknown as Record<symbol, unknown>;
const text = (value: unknown, type = "text/plain") => (mimeBundle(value) as Record<string, string>)[type]!;

/** Takes the place of the kernel's host. */
function listen(): Shown[] {
  const shown: Shown[] = [];
  globals[host] = (...args: Shown) => shown.push(args);
  return shown;
}

describe("display", () => {
  afterEach(() => delete globals[host]);

  test("shows a danfojs DataFrame as a table", () => {
    const shown = listen();
    const frame = new DataFrame({ word: ["x", "y"] });
    display(frame);
    assert.equal(shown[0]![0]["text/plain"], text(table(frame)));
    assert.match(shown[0]![0]["text/html"] as string, /^<table/);
  });

  test("sends the host a bundle, and its update with the same id", () => {
    const shown = listen();
    const handle = display(markdown("*one*"), { id: "here" });
    handle.update("two");
    assert.deepEqual(shown, [
      [
        { "text/markdown": "*one*", "text/plain": "*one*" },
        { displayId: "here", update: false },
      ],
      [{ "text/plain": "two" }, { displayId: "here", update: true }],
    ]);
    assert.ok(inNotebook());
    assert.notEqual(display("a").id, display("b").id);
  });

  test("puts an empty display of another type between two plotly figures, so that JupyterLab draws the second", () => {
    const shown = listen();
    const plotly = "application/vnd.plotly.v1+json";
    const figure = (y: number) => ({ [plotly]: { data: [{ y: [y] }], layout: { height: 200 } } });
    const handle = display(figure(1), { id: "f" });
    handle.update(figure(2));
    const update = { displayId: "f", update: true };
    assert.deepEqual(shown.slice(1), [
      [{ "text/html": '<div style="height:200px"></div>', "text/plain": "" }, update],
      [figure(2), update],
    ]);
  });

  test("awaits a value whose representation is asynchronous", async () => {
    const shown = listen();
    display({ [displaySymbol]: async () => ({ "text/plain": "late" }) });
    await new Promise(setImmediate);
    assert.deepEqual(shown[0]![0], { "text/plain": "late" });
  });

  test("writes text to standard output in a plain script", (t) => {
    const write = t.mock.method(process.stdout, "write", () => true);
    display(html`<b>bold</b> words`);
    const [call] = write.mock.calls;
    write.mock.restore();
    assert.deepEqual(call!.arguments, ["bold words\n"]);
    assert.equal(inNotebook(), false);
  });
});

describe("html", () => {
  test("escapes inserted values, but not inserted HTML", () => {
    const name = `<script>"x" & 'y'</script>`;
    const inner = html`<i>${name}</i>`;
    assert.equal(text(html`<p title="${name}">${inner}${[1, inner]}</p>`, "text/html").includes("<script>"), false);
    assert.equal(inner.html, "<i>&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;</i>");
  });

  test("takes a string unescaped", () => assert.equal(html("<b>1</b>").html, "<b>1</b>"));
});

describe("table", () => {
  const rows = [
    { name: "a<b", steps: 1234, share: 0.12345 },
    { name: "c", steps: 5, share: null },
  ];

  test("has HTML with escaped cells, and aligned text", () => {
    assert.match(text(table(rows), "text/html"), /<td style="[^"]*text-align:left">a&lt;b<\/td>/);
    assert.equal(
      text(table(rows, { caption: "Steps" })),
      ["Steps", "name  steps   share", "----  -----  ------", "a<b   1,234  0.1235", "c         5"].join("\n"),
    );
  });

  test("shows the requested columns and rows, and the number of further rows", () => {
    assert.equal(text(table(rows, { columns: ["steps"], limit: 1 })), "steps\n-----\n1,234\n1 more rows");
  });

  test("shows a danfojs DataFrame with its index", () => {
    const frame = new DataFrame({ word: ["x", "y"], count: [1, 2] }, { index: ["first", "second"] });
    assert.equal(text(table(frame)).split("\n").at(-1), "second  y         2");
    assert.throws(() => table({}), /expected an array of rows or a danfojs DataFrame/);
    assert.throws(() => table([{ a: 1 }, 2]), /table: expected rows \{ column: value \}, got 2 at 1/);
  });
});

test("a value that is not a mime bundle is shown as text", () => {
  assert.equal(text({ a: 1 }), "{ a: 1 }");
  assert.deepEqual(mimeBundle({ "image/png": "AAAA" }), { "image/png": "AAAA" });
});
