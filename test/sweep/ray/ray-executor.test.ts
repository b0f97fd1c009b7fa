/** The executor beside a server that stands in for Ray's dashboard: in-cluster.ts has the tests with Ray itself. */
import assert from "node:assert/strict";
import { mkdirSync, rmdirSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { strToU8, zipSync } from "fflate";
import { UserError } from "../../../src/base/user-error.ts";
import { formatNotebook, readNotebook } from "../../../src/notebook/nbformat.ts";
import { rayAddress } from "../../../src/ray/address.ts";
import type { Sweep } from "../../../src/sweep/executor.ts";
import { makePlan } from "../../../src/sweep/plan.ts";
import { rayExecutor } from "../../../src/sweep/ray/ray-executor.ts";
import { runSweep } from "../../../src/sweep/run-sweep.ts";
import { Store } from "../../../src/sweep/store.ts";
import { code, writeCells } from "../../notebook/cells.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

function sweepOf() {
  const folder = temporaryFolder();
  const input = writeCells(folder, "nb.ipynb", [code("const seed: number = 0;", "parameters")]);
  const notebook = readNotebook(input);
  const output = path.join(folder, "out");
  const plan = makePlan(notebook, { input, output, points: [{ seed: 1 }, { seed: 2 }] });
  const store = new Store(output);
  store.begin(plan, notebook);
  const said: string[] = [];
  const sweep: Sweep = { plan, store, folder, say: (message) => said.push(message) };
  /** What the driver prints when a point has ended. */
  const linesOf = ({ id, parameters }: (typeof plan.points)[number]) => {
    const time = new Date().toISOString();
    const record = { id, parameters, status: "ok", metrics: [], host: "node", start: time, end: time };
    const files = {
      [`${id}.json`]: strToU8(JSON.stringify(record)),
      [`${id}.ipynb`]: strToU8(formatNotebook(notebook)),
    };
    const data = Buffer.from(zipSync(files)).toString("base64");
    const part = (at: number, text: string) => ({ kind: "part", id, at, data: text });
    const messages = [part(0, data.slice(0, 100)), part(100, data.slice(100))];
    return [...messages, { kind: "point", id, size: data.length, host: "node", message: null }].map(line);
  };
  return { sweep, said, linesOf };
}

const line = (message: object) => `@@halftone ${JSON.stringify(message)}\n`;

/** A dashboard whose jobs run, and whose streams of a log are answered by `stream`, one function a stream. */
async function dashboard(context: TestContext, streams: ((response: ServerResponse) => void)[]) {
  const submitted: string[] = [];
  const server = createServer((request, response) => {
    const { method, url = "" } = request;
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      if (url === "/api/version") response.end('{"ray_version":"2.60.0"}');
      else if (method === "POST" && url === "/api/jobs/") {
        submitted.push(JSON.parse(body).submission_id);
        response.end("{}");
      } else if (url.startsWith("/api/v0/logs/stream")) streams.shift()!(response);
      else if (url.endsWith("/logs")) response.end('{"logs":""}');
      else response.end('{"status":"RUNNING","driver_node_id":"n"}');
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  context.after(() => server.close().closeAllConnections());
  const address = rayAddress(`ray://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { executor: rayExecutor({ address, token: undefined, resources: {} }), submitted };
}

test("a stream that breaks within a result is read again, and no result is received twice", async (context) => {
  const { sweep, linesOf } = sweepOf();
  const [first, second] = sweep.plan.points.map(linesOf);
  const all = [...first!, ...second!, line({ kind: "end" })].join("");
  const { executor, submitted } = await dashboard(context, [
    (response) => {
      response.write(all.slice(0, first!.join("").length + 50), () => response.destroy());
    },
    (response) => {
      response.write(all);
    },
  ]);
  const received: unknown[] = [];
  await runSweep(executor, sweep, { onPoint: ({ parameters }) => received.push(parameters.seed) });
  assert.deepEqual(received, [1, 2]);
  assert.equal(sweep.store.records(sweep.plan.points).length, 2);
  assert.equal(submitted.length, 1);
});

test("after a result that cannot be stored, the same command follows the job that is there", async (context) => {
  const { sweep, said, linesOf } = sweepOf();
  const all = [...sweep.plan.points.flatMap(linesOf), line({ kind: "end" })].join("");
  const whole = (response: ServerResponse) => {
    response.write(all);
  };
  const { executor, submitted } = await dashboard(context, [whole, whole]);
  // A folder with the file's name, because a disk that is full needs a file system of its own.
  const place = sweep.store.notebookFile(sweep.plan.points[0]!.id);
  mkdirSync(place, { recursive: true });
  await assert.rejects(
    runSweep(executor, sweep),
    (error) => error instanceof UserError && /^Cannot write /.test(error.message),
  );
  rmdirSync(place);
  await runSweep(executor, sweep);
  assert.equal(sweep.store.records(sweep.plan.points).length, 2);
  assert.equal(submitted.length, 1);
  assert.match(said.join("\n"), new RegExp(`Following job ${submitted[0]}`));
});

test("a job that runs no point is an error for the user, also while it is stopped, and is forgotten", async (context) => {
  const { sweep, said } = sweepOf();
  const refusal = line({ kind: "refused", problems: ["node a: there is no halftone", "node b: the same"] });
  const whole = (response: ServerResponse) => {
    response.write(refusal);
  };
  const stopping = new AbortController();
  const { executor, submitted } = await dashboard(context, [whole, () => stopping.abort(), whole]);
  const isRefusal = (error: unknown) =>
    error instanceof UserError && error.message === "node a: there is no halftone\nnode b: the same";
  await assert.rejects(runSweep(executor, sweep), isRefusal);
  await assert.rejects(runSweep(executor, sweep, { signal: stopping.signal }), isRefusal);
  assert.equal(submitted.length, 2);
  assert.deepEqual(said, []);
});
