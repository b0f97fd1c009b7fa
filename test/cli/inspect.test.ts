import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { generatedPositionFor, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { chromium } from "playwright-core";
import { Session } from "../../kernel/session/session.ts";
import { findBrowser } from "../../src/plot/browser.ts";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { connect, type Paused } from "./inspector-client.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const attach = fileURLToPath(new URL("./attach.js", import.meta.url));

/** Waits for a debugger, then runs these cells. */
async function runInspected(...sources: string[]) {
  return runInspectedIn(temporaryFolder(), ...sources);
}

async function runInspectedIn(folder: string, ...sources: string[]) {
  const notebook = writeCells(
    folder,
    "n.ipynb",
    sources.map((each) => code(each)),
  );
  const output = path.join(folder, "out.ipynb");
  const run = spawn(process.execPath, [cli, "run", notebook, "--inspect", "-o", output], { cwd: folder });
  const ended = new Promise((resolve) => run.once("exit", resolve));
  const { websocketAddress, ...configuration } = await printedConfiguration(run.stdout, run.stderr);
  const url = new URL(websocketAddress);
  const results = () => {
    const { cells } = JSON.parse(readFileSync(output, "utf8")) as { cells: { outputs: { data: object }[] }[] };
    return cells.flatMap(({ outputs }) => outputs.map(({ data }) => data));
  };
  return { url, folder, configuration, ended, results, [Symbol.dispose]: () => run.kill() };
}

const source = `interface Point { x: number }
function double(point: Point): number {
  const twice = point.x * 2;
  return twice;
}
const point: Point = { x: 20 };
double(point)`;

test("run --inspect waits for a debugger, stops at the first cell, and at a breakpoint in its source", {
  timeout: 60_000,
}, async () => {
  using run = await runInspected("type Nothing = undefined;", source, "double({ x: 1 })");
  const { url, folder, ended, results } = run;
  assert.equal(url.hostname, "127.0.0.1");
  const key = url.pathname.slice(1);
  assert.match(key, /^[\da-f-]{36}$/);
  assert.ok(!(await body(`http://${url.host}/json/list`)).includes(key));
  const inspector = await connect(url);
  await inspector.ask("Debugger.enable");
  const first = inspector.event("Debugger.paused");
  await inspector.ask("Runtime.runIfWaitingForDebugger");
  await first;
  const [preview, script] = inspector.events.filter(({ params }) => params.url === "halftone:cell/2");
  const map = mapIn(script!);
  const shown = pathToFileURL(path.join(folder, "cell [2].ts")).href;
  assert.deepEqual([map.sources, map.sourcesContent], [[shown], [source]]);
  assert.deepEqual(mapIn(preview!).sourcesContent, [source]);
  const lineOf = ({ callFrames }: Paused, frame: number) => {
    const { lineNumber, columnNumber } = callFrames[frame]!.location;
    return originalPositionFor(map, { line: lineNumber + 1, column: columnNumber }).line;
  };
  assert.equal(lineOf(await first, 0), 6);
  const place = generatedPositionFor(map, { source: shown, line: 3, column: 2 });
  const { breakpointId } = await inspector.ask("Debugger.setBreakpointByUrl", {
    url: script!.params.url,
    lineNumber: place.line! - 1,
    columnNumber: place.column,
  });
  const second = inspector.event("Debugger.paused");
  await inspector.ask("Debugger.resume");
  const stop = await second;
  assert.deepEqual(stop.hitBreakpoints, [breakpointId]);
  assert.deepEqual([lineOf(stop, 0), lineOf(stop, 1)], [3, 7]);
  const { callFrameId } = stop.callFrames[0]!;
  const { result } = await inspector.ask("Debugger.evaluateOnCallFrame", { callFrameId, expression: "point.x" });
  assert.equal((result as { value: unknown }).value, 20);
  await inspector.ask("Debugger.removeBreakpoint", { breakpointId });
  await inspector.ask("Debugger.resume");
  assert.equal(await ended, 0);
  assert.deepEqual(results(), [{ "text/plain": ["40"] }, { "text/plain": ["2"] }]);
});

test("at the first stop a debugger can set breakpoints in later cells, and step through all statements", {
  timeout: 60_000,
}, async () => {
  using run = await runInspected(
    "const a = 1;\nlet b = a + 1;\nfor (const each of [3]) b += each;\nb",
    "const c = 2;\nc + b",
  );
  const inspector = await connect(run.url);
  const kernel = fileURLToPath(new URL("../../", import.meta.url)).replaceAll("\\", "/");
  assert.deepEqual(run.configuration, {
    type: "node",
    request: "attach",
    name: "Notebook",
    resolveSourceMapLocations: null,
    skipFiles: ["<node_internals>/**", `${kernel}**`],
  });
  await inspector.ask("Debugger.enable");
  let stop = inspector.event("Debugger.paused");
  await inspector.ask("Runtime.runIfWaitingForDebugger");
  const scriptOf = (id: string) => inspector.events.findLast(({ params }) => params.scriptId === id)!;
  const lines: (number | null)[] = [];
  const step = async () => {
    const { location } = (await stop).callFrames[0]!;
    const place = { line: location.lineNumber + 1, column: location.columnNumber };
    lines.push(originalPositionFor(mapIn(scriptOf(location.scriptId)), place).line);
  };
  await step();
  const later = inspector.events.find(({ params }) => params.url === "halftone:cell/2")!;
  const place = generatedPositionFor(mapIn(later), { source: mapIn(later).sources[0]!, line: 2, column: 0 });
  const at = { url: "halftone:cell/2", lineNumber: place.line! - 1, columnNumber: place.column };
  await inspector.ask("Debugger.setBreakpointByUrl", at);
  while (lines.at(-1) !== 4) {
    stop = inspector.event("Debugger.paused");
    await inspector.ask("Debugger.stepOver");
    await step();
  }
  assert.deepEqual([...new Set(lines)], [1, 2, 3, 4]);
  stop = inspector.event("Debugger.paused");
  await inspector.ask("Debugger.resume");
  await step();
  assert.equal(lines.at(-1), 2);
  await inspector.ask("Debugger.resume");
  assert.equal(await run.ended, 0);
  assert.deepEqual(run.results(), [{ "text/plain": ["5"] }, { "text/plain": ["7"] }]);
});

test("imported TypeScript files carry their source maps", { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const typed = "export interface Named { name: string }\n\nexport const nameOf = (named: Named) => named.name;\n";
  writeFileSync(path.join(folder, "typed.ts"), typed);
  writeFileSync(path.join(folder, "plain.ts"), "export const one = 1;\n");
  const imports =
    'import { nameOf } from "./typed.ts";\nimport { one } from "./plain.ts";\nnameOf({ name: "a" }) + one';
  using run = await runInspectedIn(folder, imports);
  const inspector = await connect(run.url);
  await inspector.ask("Debugger.enable");
  const stop = inspector.event("Debugger.paused");
  await inspector.ask("Runtime.runIfWaitingForDebugger");
  await stop;
  await inspector.ask("Debugger.resume");
  assert.equal(await run.ended, 0);
  assert.deepEqual(run.results(), [{ "text/plain": ["'a1'"] }]);
  for (const [name, line] of [
    ["typed.ts", 3],
    ["plain.ts", 1],
  ] as const) {
    const url = pathToFileURL(path.join(folder, name)).href;
    const map = mapIn(inspector.events.find(({ params }) => String(params.url).startsWith(`${url}?`))!);
    assert.deepEqual(map.sources, [url]);
    assert.equal(originalPositionFor(map, { line: 1, column: 0 }).line, line);
  }
});

test("a run whose first cell has a type error ends without a stop", { timeout: 60_000 }, async () => {
  using run = await runInspected('const n: number = "text";');
  const inspector = await connect(run.url);
  await inspector.ask("Debugger.enable");
  await inspector.ask("Runtime.runIfWaitingForDebugger");
  assert.equal(await run.ended, 1);
  assert.ok(!inspector.events.some(({ method }) => method === "Debugger.paused"));
});

test("a debugger may attach before its address has been printed", { timeout: 60_000 }, async (context) => {
  const session = Session.start({ cwd: temporaryFolder(), inspect: true });
  context.after(() => session[Symbol.asyncDispose]());
  await session.waitForInspector((url) => {
    const { status, stderr } = spawnSync(process.execPath, [attach, url], { encoding: "utf8", timeout: 30_000 });
    assert.equal(status, 0, stderr);
  });
  assert.equal((await session.execute("1 + 1", { onOutput: () => {} })).status, "ok");
});

test("Chrome's debugger shows the cell at the first stop, and stops at a breakpoint set in its margin", {
  timeout: 120_000,
  skip: findBrowser() ? false : "no Chromium or Chrome is on the PATH",
}, async () => {
  using run = await runInspected(source);
  const folder = temporaryFolder();
  const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"];
  const chrome = spawn(findBrowser()!, [...args, `--user-data-dir=${folder}`]);
  using _ = { [Symbol.dispose]: () => chrome.kill() };
  const address = await found(/DevTools listening on (ws:\S+)/, chrome.stderr);
  const browser = await chromium.connectOverCDP(address);
  try {
    const page = await browser.contexts()[0]!.newPage();
    // Playwright opens no devtools: address. Chrome serves the same page on its own debugging port.
    await page.goto(`http://${new URL(address).host}/devtools/js_app.html?v8only=true&ws=${run.url.href.slice(5)}`);
    const line = page.locator(".cm-executionLine");
    await line.filter({ hasText: "const point: Point" }).waitFor();
    await page.locator(".cm-lineNumbers .cm-gutterElement", { hasText: /^3$/ }).click();
    await page.locator(".cm-breakpoint", { hasText: "3" }).waitFor();
    await page.keyboard.press("F8");
    await line.filter({ hasText: "const twice = point.x * 2;" }).waitFor();
    await page.keyboard.press("F8");
    assert.equal(await run.ended, 0);
  } finally {
    await browser.close();
  }
  assert.deepEqual(run.results(), [{ "text/plain": ["40"] }]);
});

/** The line for VS Code. */
async function printedConfiguration(...streams: NodeJS.ReadableStream[]): Promise<{ websocketAddress: string }> {
  return JSON.parse(await found(/^ *(\{.*"websocketAddress".*\})$/m, ...streams)) as { websocketAddress: string };
}

/** The source map in a script's comment. */
function mapIn({ params }: { params: Record<string, unknown> }): TraceMap {
  return new TraceMap(Buffer.from(String(params.sourceMapURL).split(",")[1]!, "base64").toString());
}

/** The first group of a pattern in what streams say. */
function found(pattern: RegExp, ...streams: NodeJS.ReadableStream[]): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    for (const stream of streams)
      stream.on("data", (chunk) => {
        text += chunk;
        const match = pattern.exec(text)?.[1];
        if (match) resolve(match);
      });
  });
}

function body(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });
}
