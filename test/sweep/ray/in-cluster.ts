/** Tests in one Ray cluster: ray.test.ts starts them in namespaces of their own, with a file system of 1 MiB at FOLDER/full. */
import assert from "node:assert/strict";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { UserError } from "../../../src/base/user-error.ts";
import { readNotebook } from "../../../src/notebook/nbformat.ts";
import type { Sweep } from "../../../src/sweep/executor.ts";
import { makePlan } from "../../../src/sweep/plan.ts";
import { rayExecutor } from "../../../src/sweep/ray/ray-executor.ts";
import { runSweep } from "../../../src/sweep/run-sweep.ts";
import { Store } from "../../../src/sweep/store.ts";
import { address, ancestorsOf, processesWith, RayCluster, raylets, token, until } from "./cluster.ts";
import { testTraining } from "./train-in-cluster.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const folder = process.argv[2]!;
const at = (...names: string[]) => path.join(folder, ...names);

/** A folder with a program `halftone` that starts the checkout in `checkout`. */
function programIn(name: string, checkout: string): string {
  mkdirSync(at(name), { recursive: true });
  const script = `#!/bin/sh\nexec "${process.execPath}" "${checkout}/dist/src/cli/main.js" "$@"\n`;
  writeFileSync(at(name, "halftone"), script, { mode: 0o755 });
  return at(name);
}

/** A copy of this checkout in which one file differs. */
function otherBuild(): string {
  const copy = at("other");
  for (const part of ["dist/src", "dist/kernel", "src", "package.json"])
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  appendFileSync(path.join(copy, "dist/src/base/user-error.js"), "// Another build.\n");
  return copy;
}

const withProgram = (program: string) => `${program}:${path.dirname(process.execPath)}:${process.env.PATH}`;
const cluster = new RayCluster(process.env.HALFTONE_RAY_PROGRAM!, at("ray"), {
  ...process.env,
  PATH: withProgram(programIn("bin", root)),
  HALFTONE_TYPES: "off",
});
const executor = (options: Partial<Parameters<typeof rayExecutor>[0]> = {}) =>
  rayExecutor({ address, token: { value: token, from: "the test" }, resources: {}, ...options });

before(async () => {
  await cluster.startHead();
  cluster.startNode();
  cluster.startNode();
  cluster.startNode({ PATH: withProgram(programIn("other-bin", otherBuild())), TMPDIR: at("full") });
  await cluster.ready(4);
});

/** Says that it starts, waits for the file `go` or `go-SEED`, and gives 10 times its seed. */
const CELL = `import { appendFileSync, existsSync } from "node:fs";
import { factor } from "./factor.ts";
appendFileSync(\`\${gate}/starts\`, \`\${seed} \${process.pid}\\n\`);
while (![\`\${gate}/go\`, \`\${gate}/go-\${seed}\`].some((file) => existsSync(file)))
  await new Promise((resolve) => setTimeout(resolve, 50));
seed * factor`;

/** A sweep over seeds whose points wait in its folder for files, and what was said of it. */
function sweepOf(name: string, seeds: number[]) {
  const gate = at(name);
  mkdirSync(gate);
  const input = path.join(gate, "nb.ipynb");
  const code = (id: string, source: string, tags: string[] = []) => ({
    id,
    cell_type: "code",
    metadata: { tags },
    source,
    execution_count: null,
    outputs: [],
  });
  const cells = [code("p", 'let seed = 0;\nlet gate = "";', ["parameters"]), code("c", CELL)];
  const metadata = { kernelspec: { name: "halftone", display_name: "TypeScript", language: "typescript" } };
  writeFileSync(input, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
  writeFileSync(path.join(gate, "factor.ts"), "export const factor = 10;\n");
  const notebook = readNotebook(input);
  const output = path.join(gate, "out");
  const plan = makePlan(notebook, { input, output, points: seeds.map((seed) => ({ seed, gate })) });
  const store = new Store(output);
  store.begin(plan, notebook);
  const said: string[] = [];
  const sweep: Sweep = { plan, store, folder: gate, say: (message) => said.push(message) };
  return {
    sweep,
    said,
    release: (file = "go") => writeFileSync(path.join(gate, file), ""),
    /** The seed and process id of each start of a point so far. */
    starts: () =>
      existsSync(path.join(gate, "starts"))
        ? readFileSync(path.join(gate, "starts"), "utf8")
            .trim()
            .split("\n")
            .map((line) => line.split(" ").map(Number) as [number, number])
        : [],
    /** The results in the executed notebooks, in the plan's order. */
    results: () =>
      store.records(plan.points).map(({ id, status, error }) => {
        const cell = readNotebook(store.notebookFile(id)).cells.at(-1)!;
        const last = (cell as { outputs: { data?: Record<string, string> }[] }).outputs.at(-1);
        return status === "ok" ? Number(last?.data?.["text/plain"]) : error;
      }),
  };
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

test("a refused token, a missing one and impossible resources are reported before the first point", async () => {
  const { sweep, starts } = sweepOf("refused", [1]);
  const refused = (options: Parameters<typeof executor>[0], message: RegExp) =>
    assert.rejects(
      runSweep(executor(options), sweep),
      (error) => error instanceof UserError && message.test(error.message),
    );
  await refused(
    { token: { value: "wrong", from: "RAY_AUTH_TOKEN" } },
    /^ray:\/\/127\.0\.0\.1:8265 refuses the token of RAY_AUTH_TOKEN\.$/,
  );
  await refused({ token: undefined }, /asks for a token: set RAY_AUTH_TOKEN/);
  await refused(
    { resources: { gpus: 2, memory: 2 ** 40 } },
    /^A point asks for 1 CPU, 2 GPU, 1024\.0 GiB of memory, but none of the 4 nodes has that: the most that one has is 1 CPU, 0 GPU, [\d.]+ GiB of memory\.$/,
  );
  assert.deepEqual(starts(), []);
});

test("a node with another build and a full disk is named before the first point", async () => {
  const { sweep, starts } = sweepOf("differing", [1]);
  await assert.rejects(runSweep(executor(), sweep), (error: Error) => {
    const lines = error.message.split("\n");
    assert.equal(lines.length, 2, error.message);
    assert.match(
      lines[0]!,
      /^Node \S+ \(127\.0\.0\.1\): \S+full has \d MiB of free disk space, and a sweep needs 256 MiB$/,
    );
    assert.match(
      lines[1]!,
      /^Node \S+ \(127\.0\.0\.1\): The sweep was planned with halftone .*, but this machine has .*: install the same build\.$/,
    );
    return true;
  });
  assert.deepEqual(starts(), []);
  const raylet = raylets().find((pid) => readFileSync(`/proc/${pid}/environ`, "utf8").includes("other-bin"));
  cluster.killNode(raylet!);
  await cluster.ready(3);
});

testTraining(at("training"));

test("no result is lost or there twice when a node and the driver are killed", async () => {
  const seeds = [1, 2, 3, 4, 5, 6];
  const { sweep, said, release, starts, results } = sweepOf("killed", seeds);
  const received: number[] = [];
  const finished = runSweep(executor(), sweep, {
    onPoint: ({ parameters }) => received.push(parameters.seed as number),
  });
  await until("both nodes run a point", () => starts().length === 2);
  const [seed, pid] = starts()[0]!;
  const raylet = ancestorsOf(pid).find((each) => raylets().includes(each));
  cluster.killNode(raylet!);
  await until(`point ${seed} has ended with its node`, () => !isAlive(pid));
  for (const each of [1, 2, 3]) release(`go-${each}`);
  const waiting = () => starts().filter(([each, point]) => each > 3 && isAlive(point));
  await until("a result has come and another point runs", () => received.length > 0 && waiting().length > 0);
  const abandoned = waiting();
  for (const driver of processesWith("python3 driver.py")) process.kill(driver, "SIGKILL");
  await until("the points of the killed driver have ended", () => abandoned.every(([, point]) => !isAlive(point)));
  release();
  await finished;
  assert.deepEqual(received.sort(), seeds);
  assert.deepEqual(results(), [10, 20, 30, 40, 50, 60]);
  assert.match(
    said.join("\n"),
    /^Job halftone-\w+ has ended \(FAILED: .* exit code -9\), and \d of 6 points are missing: they are started again$/,
  );
});

test("Stop ends the points that run and keeps the results that are there", async () => {
  const { sweep, release, starts, results } = sweepOf("stopped", [1, 2, 3]);
  const stop = new AbortController();
  release("go-1");
  const finished = runSweep(executor(), sweep, { signal: stop.signal, onPoint: () => stop.abort() });
  const { stopped } = await finished;
  assert.equal(stopped, "signal");
  await until("no point runs", () => starts().every(([, pid]) => !isAlive(pid)));
  assert.deepEqual(results(), [10]);
  release();
  const again: unknown[] = [];
  await runSweep(executor(), sweep, { onPoint: ({ parameters }) => again.push(parameters.seed) });
  assert.deepEqual(again.sort(), [2, 3]);
});

test("a detached sweep goes on alone, and the same command collects its results", async () => {
  const { sweep, said, release, starts, results } = sweepOf("detached", [1, 2]);
  const sentence = await executor().detach(sweep, sweep.plan.points);
  const [, job] = /^Job (halftone-\w+) runs 2 points on ray:\/\/127\.0\.0\.1:8265\./.exec(sentence)!;
  await assert.rejects(
    executor().detach(sweep, sweep.plan.points),
    /already runs these points: follow it without --detach/,
  );
  const left = new AbortController();
  const say = (message: string) => {
    sweep.say(message);
    if (message.startsWith("Following")) setImmediate(() => left.abort());
  };
  await runSweep(executor(), { ...sweep, say }, { signal: left.signal });
  assert.match(said.join("\n"), new RegExp(`Job ${job} goes on`));
  release();
  await until("the job has ended", async () => (await cluster.jobs.state(job!))?.status === "SUCCEEDED");
  await runSweep(executor(), sweep);
  assert.deepEqual(results(), [10, 20]);
  assert.equal(starts().length, 2);
  assert.match(said.join("\n"), new RegExp(`Following job ${job}`));
});
