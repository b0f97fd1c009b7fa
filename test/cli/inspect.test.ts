import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Session } from "../../kernel/session/session.ts";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { connect } from "./inspector-client.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const attach = fileURLToPath(new URL("./attach.js", import.meta.url));

test("run --inspect waits for a debugger, which finds the cells with their sources", {
  timeout: 60_000,
}, async (context) => {
  const folder = temporaryFolder();
  const source = "interface Point { x: number }\nconst point: Point = { x: 20 };\npoint.x + 1";
  const notebook = writeCells(folder, "n.ipynb", [code(source)]);
  const output = path.join(folder, "out.ipynb");
  const run = spawn(process.execPath, [cli, "run", notebook, "--inspect", "-o", output], { cwd: folder });
  context.after(() => run.kill());
  const ended = new Promise((resolve) => run.once("exit", resolve));
  const url = new URL(await printedAddress(run.stdout, run.stderr));
  assert.equal(url.hostname, "127.0.0.1");
  const key = url.pathname.slice(1);
  assert.match(key, /^[\da-f-]{36}$/);
  assert.ok(!(await body(`http://${url.host}/json/list`)).includes(key));
  const inspector = await connect(url);
  const parsed = new Promise<{ sourceMapURL: string }>((resolve) => {
    inspector.onMessage = ({ method, params }) => {
      if (method === "Debugger.scriptParsed" && params.url === "halftone:cell/1") resolve(params as never);
    };
  });
  inspector.send({ id: 1, method: "Debugger.enable" });
  inspector.send({ id: 2, method: "Runtime.runIfWaitingForDebugger" });
  const { sourceMapURL } = await parsed;
  const map = JSON.parse(Buffer.from(sourceMapURL.split(",")[1]!, "base64").toString()) as Record<string, unknown>;
  assert.deepEqual([map.sources, map.sourcesContent], [["cell [1].ts"], [source]]);
  assert.equal(await ended, 0);
  const { cells } = JSON.parse(readFileSync(output, "utf8")) as { cells: { outputs: { data: object }[] }[] };
  assert.deepEqual(
    cells[0]!.outputs.map(({ data }) => data),
    [{ "text/plain": ["21"] }],
  );
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

/** The address in the line for VS Code. */
function printedAddress(...streams: NodeJS.ReadableStream[]): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    for (const stream of streams)
      stream.on("data", (chunk) => {
        text += chunk;
        const found = /"websocketAddress": "([^"]+)"/.exec(text)?.[1];
        if (found) resolve(found);
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
