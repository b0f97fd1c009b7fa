/**
 * cositos (PyPI) has fixtures for programs outside Python that speak to Jupyter's widgets, and a probe of a kernel's comms.
 * They are in its source archive only, which pip keeps in Halftone's cache.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { tarFiles } from "../../src/data/packages/tar.ts";
import { WidgetLog, type WidgetState } from "../../src/notebook/widget-state.ts";
import { cacheFolder } from "../../src/runtime/setup/cache.ts";
import type { Line, WidgetHost } from "../../src/widgets/host.ts";
import * as widgets from "../../src/widgets/index.ts";
import { pack } from "../../src/widgets/packing.ts";
import { describeSymbol } from "../../src/widgets/registry.ts";
import { float, json } from "../../src/widgets/traits.ts";
import { Widget } from "../../src/widgets/widget.ts";
import { jupyter } from "./jupyter.ts";

const VERSION = "0.2.1";
const SHA256 = "3bac11f56566acdc110fd624ad659dcb1955aa57f75bb28e4133b1e909b9d779";

const { run, folder } = await jupyter();
const files = await archive();
const fixture = <T>(name: string): T => JSON.parse(files.get(`fixtures/${name}.json`)!) as T;

/** The texts of the archive's files, by their paths in it. */
async function archive(): Promise<Map<string, string>> {
  const name = `cositos-${VERSION}.tar.gz`;
  const kept = path.join(cacheFolder(), "packages", name);
  if (!existsSync(kept)) {
    mkdirSync(path.dirname(kept), { recursive: true });
    const work = mkdtempSync(path.join(path.dirname(kept), "cositos-"));
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", work];
    const { status, stderr } = await run("python", [...pip, `cositos==${VERSION}`], { timeout: 300_000 });
    assert.equal(status, 0, stderr);
    renameSync(path.join(work, name), kept);
  }
  const contents = readFileSync(kept);
  assert.equal(createHash("sha256").update(contents).digest("hex"), SHA256);
  return new Map(
    Array.from(tarFiles(contents), ({ path: at, contents: text }) => [
      at.replace(`cositos-${VERSION}/`, ""),
      text.toString("utf8"),
    ]),
  );
}

interface Effect {
  kind: string;
  msg_type?: string;
  data?: Record<string, unknown>;
  buffers?: Uint8Array[];
}

/** What a widget does to its comm, and a way to send it messages as a page does. */
function recordedHost(supportsReceive = true) {
  const effects: Effect[] = [];
  let receive: (data: Record<string, unknown>) => void = () => {};
  const send = (msg_type: string, data = {}, buffers: Uint8Array[] = []): void =>
    void effects.push({ kind: "send", msg_type, data: data as Record<string, unknown>, buffers });
  const line: Line = {
    id: "comm-1",
    closed: false,
    send: (data, { buffers = [] } = {}) => send("comm_msg", data, buffers),
    close: () => send("comm_close"),
    onMessage(listener) {
      receive = (data) => listener({ data, buffers: [] });
      if (supportsReceive) effects.push({ kind: "listen" });
    },
    onClose() {},
  };
  const host: Partial<WidgetHost> = {
    open(data, buffers) {
      send("comm_open", data, buffers);
      return line;
    },
    beforeCellEnds: () => true,
  };
  Reflect.set(globalThis, Symbol.for("halftone.widgetHost"), host);
  return { effects, receive: (data: Record<string, unknown>) => receive(data) };
}

const anyIdentity = {
  _model_module: "anywidget",
  _model_name: "AnyModel",
  _model_module_version: "~0.11.*",
  _view_module: "anywidget",
  _view_name: "AnyView",
  _view_module_version: "~0.11.*",
  _view_count: null,
};

function anyWidget({ _esm, ...state }: Record<string, unknown>): Widget<Record<string, unknown>> {
  const traits = Object.fromEntries(
    Object.entries(state).map(([name, value]) => [name, typeof value === "number" ? float(0) : json()]),
  );
  return new Widget({ name: "AnyWidget", identity: { ...anyIdentity, _esm }, traits, sameNames: true }, state);
}

const bytesAsText = (buffers: readonly Uint8Array[] = []): string[] =>
  buffers.map((each) => Buffer.from(each).toString("base64"));

test("the messages of a widget are those of the protocol fixtures, byte for byte", () => {
  const { effects } = recordedHost();
  const opened = fixture<{ data: { state: Record<string, unknown> }; buffers_b64: string[] }>("comm_open");
  const widget = anyWidget({ _esm: opened.data.state._esm, value: 0 });
  assert.equal(JSON.stringify(effects[0]!.data), JSON.stringify(opened.data));
  assert.deepEqual(bytesAsText(effects[0]!.buffers), opened.buffers_b64);
  widget.set({ value: 42 });
  assert.equal(JSON.stringify(effects.at(-1)!.data), JSON.stringify(fixture<{ data: object }>("update").data));
  const custom = fixture<{ data: { content: unknown } }>("custom");
  widget.send(custom.data.content);
  assert.equal(JSON.stringify(effects.at(-1)!.data), JSON.stringify(custom.data));
});

test("bytes inside a state leave it as in the fixture", () => {
  const { data, buffers_b64 } = fixture<{ data: object; buffers_b64: string[] }>("update_nested_buffer");
  const { state, bufferPaths, buffers } = pack({
    img: { bytes: Buffer.from(buffers_b64[0]!, "base64") },
    shape: [1, 1],
  });
  assert.deepEqual({ method: "update", state, buffer_paths: bufferPaths }, data);
  assert.deepEqual(bytesAsText(buffers), buffers_b64);
});

test("the saved state of widgets is the fixture's document", () => {
  const document = fixture<WidgetState>("widget-state");
  const log = new WidgetLog();
  for (const [id, { state, buffers = [], model_name, model_module, model_module_version }] of Object.entries(
    document.state,
  ))
    log.add({
      action: "open",
      id,
      target: "jupyter.widget",
      metadata: {},
      data: {
        state: {
          _model_name: model_name,
          _model_module: model_module,
          _model_module_version: model_module_version,
          ...state,
        },
        buffer_paths: buffers.map((each) => each.path),
      },
      buffers: buffers.map((each) => each.data),
    });
  const saved = log.document!;
  for (const { state } of Object.values(saved.state))
    for (const name of Object.keys(state)) if (name.startsWith("_model_")) delete state[name];
  assert.deepEqual(saved, document);
});

type Case = [
  string,
  Record<string, unknown>,
  Record<string, unknown>,
  string,
  Effect[],
  { supports_receive?: boolean }?,
];

test("a widget goes through its life as the lifecycle fixtures say", () => {
  const names = [...files.keys()].filter((name) => name.startsWith("fixtures/lifecycle/"));
  assert.equal(names.length, 10);
  for (const name of names) {
    for (const [before, event, state, after, expected, capabilities = {}] of JSON.parse(files.get(name)!) as Case[]) {
      const { effects, receive } = recordedHost(capabilities.supports_receive !== false);
      const message = (event.message ?? {}) as { method?: string; state?: object };
      const widget = anyWidget({ ...message.state, ...state, value: state.value ?? 0 });
      if (before === "open") effects.length = 0;
      let applied = false;
      widget.observe("value", () => {
        applied = true;
      });
      widget.onMessage(() => effects.push({ kind: "invoke_custom" }));
      if (event.kind === "send_state") widget.sendState(event.include as string[] | undefined);
      if (event.kind === "inbound") receive(event.message as Record<string, unknown>);
      if (event.kind === "close") widget.close();
      if (event.kind === "comm_id_assigned") assert.equal(widget.id, "comm-1");
      if (applied) effects.push({ kind: "apply_state" });
      // The echo to other pages, of protocol 2.1, is not in the fixtures.
      const seen = effects.filter(({ data }) => data?.method !== "echo_update");
      assert.deepEqual(
        seen.map(({ kind, msg_type }) => (msg_type ? { kind, msg_type } : { kind })),
        expected,
        name,
      );
      assert.equal(widget.closed ? "closed" : "open", after, name);
    }
  }
});

test("the controls of the catalog have its identities and defaults", () => {
  recordedHost();
  const catalog =
    fixture<Record<string, Record<string, unknown> & { default_state: Record<string, unknown> }>>("controls-catalog");
  const made = {
    int_slider: new widgets.IntSlider(),
    dropdown: new widgets.Dropdown({ options: ["a"] }),
    vbox: new widgets.VBox(),
    hbox: new widgets.HBox(),
  };
  assert.deepEqual(Object.keys(catalog), Object.keys(made));
  for (const [name, widget] of Object.entries(made)) {
    const { identity, state } = (widget as Widget<object>)[describeSymbol]();
    const { default_state, model_name, model_module, model_module_version, view_name, view_module } = catalog[name]!;
    assert.deepEqual(identity, { model_name, model_module, model_module_version });
    assert.deepEqual([state._view_name, state._view_module], [view_name, view_module]);
    for (const [attribute, value] of Object.entries(default_state)) {
      if (String(value).startsWith("IPY_MODEL_")) assert.match(String(state[attribute]), /^IPY_MODEL_/);
      // A choice has at least one option here, of which the first is chosen.
      else if (name !== "dropdown" || !/index|labels/.test(attribute))
        assert.deepEqual(state[attribute], value, `${name}.${attribute}`);
    }
  }
});

test("the probe finds that comms go both ways", { timeout: 120_000 }, async () => {
  writeFileSync(path.join(folder, "kernel_probe.py"), files.get("probe/kernel_probe.py")!);
  const program =
    'const line = comm.open("cositos.probe", { hello: 1 }); line.onMessage(() => line.send({ echo: true }));';
  const script = `import kernel_probe
kernel_probe.PROBE_PROGRAMS["halftone"] = ${JSON.stringify(program)}
print(kernel_probe.probe("halftone").label)`;
  const { stdout, stderr } = await run("python", ["-c", script]);
  assert.equal(stdout.trim(), "BIDIRECTIONAL", stderr);
});
