import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
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
  const folder = temporaryFolder();
  const notebook = writeCells(
    folder,
    "n.ipynb",
    sources.map((each) => code(each)),
  );
  const output = path.join(folder, "out.ipynb");
  const run = spawn(process.execPath, [cli, "run", notebook, "--inspect", "-o", output], { cwd: folder });
  const ended = new Promise((resolve) => run.once("exit", resolve));
  const url = new URL(await printedAddress(run.stdout, run.stderr));
  const results = () => {
    const { cells } = JSON.parse(readFileSync(output, "utf8")) as { cells: { outputs: { data: object }[] }[] };
    return cells.flatMap(({ outputs }) => outputs.map(({ data }) => data));
  };
  return { url, ended, results, [Symbol.dispose]: () => run.kill() };
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
  const { url, ended, results } = run;
  assert.equal(url.hostname, "127.0.0.1");
  const key = url.pathname.slice(1);
  assert.match(key, /^[\da-f-]{36}$/);
  assert.ok(!(await body(`http://${url.host}/json/list`)).includes(key));
  const inspector = await connect(url);
  await inspector.ask("Debugger.enable");
  const first = inspector.event("Debugger.paused");
  await inspector.ask("Runtime.runIfWaitingForDebugger");
  await first;
  const script = inspector.events.find(({ params }) => params.url === "halftone:cell/2")!.params;
  const map = new TraceMap(Buffer.from(String(script.sourceMapURL).split(",")[1]!, "base64").toString());
  assert.deepEqual([map.sources, map.sourcesContent], [["cell [2].ts"], [source]]);
  const lineOf = ({ callFrames }: Paused, frame: number) => {
    const { lineNumber, columnNumber } = callFrames[frame]!.location;
    return originalPositionFor(map, { line: lineNumber + 1, column: columnNumber }).line;
  };
  assert.equal(lineOf(await first, 0), 2);
  const place = generatedPositionFor(map, { source: "cell [2].ts", line: 3, column: 2 });
  const { breakpointId } = await inspector.ask("Debugger.setBreakpointByUrl", {
    url: script.url,
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
    await line.filter({ hasText: "function double" }).waitFor();
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

/** The address in the line for VS Code. */
function printedAddress(...streams: NodeJS.ReadableStream[]): Promise<string> {
  return found(/"websocketAddress": "([^"]+)"/, ...streams);
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
