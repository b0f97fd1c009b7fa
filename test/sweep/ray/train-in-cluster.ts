/** Tests of `halftone train --on ray://HOST`, in the cluster of in-cluster.ts, with two nodes of one CPU. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readNotebook } from "../../../src/notebook/nbformat.ts";
import { code, writeCells } from "../../notebook/cells.ts";
import { address, ancestorsOf, processesWith, token, until } from "./cluster.ts";

const main = fileURLToPath(new URL("../../../src/cli/main.js", import.meta.url));

/** A training of 8 steps, whose worker 1 waits after step 5 where a folder is given: it writes its process id there. */
const SCRIPT = `import { existsSync, writeFileSync } from "node:fs";
import { adamW, arrayBatches, distributed, matmul, meanSquaredError, parameters, randn, ready, train } from "halftone";
import { learningRate } from "./rate.ts";
const folder = process.argv[2];
await ready();
const own = parameters({ weights: randn([3, 1], { from: 1 }) });
const { steps } = await train({
  model: { parameters: own, apply: (p: typeof own, batch: { x: never; y: never }) => matmul(batch.x, p.weights) },
  optimizer: adamW(own, { learningRate }),
  batches: arrayBatches({ x: randn([10, 3], { from: 2 }), y: randn([10, 1], { from: 3 }) }, { batchSize: 4, seed: 1 }),
  loss: (output, batch) => meanSquaredError(output, batch.y),
  steps: 8,
  progress: false,
  ...(folder && { checkpoint: { path: folder + "/state.safetensors" } }),
  onStep: ({ step }) => {
    if (!folder || distributed.rank === 0 || step < 5) return;
    writeFileSync(folder + "/pid", step + " " + process.pid);
    while (existsSync(folder)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  },
});
console.log(JSON.stringify({ rank: distributed.rank, size: distributed.size, losses: steps.map(({ loss }) => loss) }));
`;

interface Started {
  child: ChildProcess;
  ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

function halftoneTrain(args: string[], given = token): Started {
  const child = spawn(process.execPath, [main, "train", ...args], {
    env: { ...process.env, RAY_AUTH_TOKEN: given },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]!.setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  return { child, ended: new Promise((resolve) => child.on("close", (status) => resolve({ status, ...texts }))) };
}

interface Printed {
  rank: number;
  size: number;
  losses: number[];
}

/** What the workers printed, by rank. */
const printed = (stdout: string): Printed[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line.replace(/^\[worker 1\] /, "")) as Printed)
    .sort((a, b) => a.rank - b.rank);

/** Adds the tests. Their files are in `folder`. */
export function testTraining(folder: string): void {
  const onRay = ["--workers", "2", "--on", address.name];
  const script = path.join(folder, "train.ts");
  mkdirSync(folder);
  writeFileSync(script, SCRIPT);
  writeFileSync(path.join(folder, "rate.ts"), "export const learningRate = 0.05;\n");

  test("two workers on the cluster have the losses of two workers of one machine", async () => {
    const here = await halftoneTrain([script, "--workers", "2"]).ended;
    const there = await halftoneTrain([script, ...onRay]).ended;
    assert.equal(there.status, 0, there.stderr);
    assert.match(there.stderr, /^2 workers with 1 CPU each: 0 on \S+, 1 on \S+$/m);
    assert.match(there.stdout, /^\[worker 1\] \{"rank":1/m);
    const [expected, found] = [printed(here.stdout), printed(there.stdout)];
    assert.deepEqual(
      found.map(({ rank, size, losses }) => [rank, size, losses.length]),
      [0, 1].map((rank) => [rank, 2, 8]),
    );
    for (const [rank, { losses }] of found.entries())
      for (const [i, loss] of losses.entries()) assert.ok(Math.abs(loss - expected[rank]!.losses[i]!) <= 1e-6);
  });

  test("the notebook of the first worker comes back executed, with the error of its cell", async () => {
    const cells = [
      code("const factor: number = 1;", "parameters"),
      code('import { distributed, tensor } from "halftone";\ndistributed.allReduce(tensor([factor])).dataSync()[0]'),
      code('throw new RangeError("the end")'),
    ];
    const [input, output] = [writeCells(folder, "nb.ipynb", cells), path.join(folder, "done.ipynb")];
    const { status, stderr } = await halftoneTrain([input, ...onRay, "-p", "factor=10", "-o", output]).ended;
    assert.equal(status, 1);
    assert.match(stderr, /^Worker [01] on \S+ failed in cell 4 of 4: RangeError: the end\.$/m);
    const executed = readNotebook(output);
    assert.match(JSON.stringify(executed.cells), /"text\/plain":"20"/);
    assert.match(JSON.stringify(executed.metadata), /"path":"nb\.ipynb"/);
  });

  test("a lost worker is named, the state is saved, and Ctrl-C ends the training that goes on from there", async () => {
    const gate = path.join(folder, "lost");
    mkdirSync(gate);
    const waiting = (step: number) => async () =>
      existsSync(path.join(gate, "pid")) && readFileSync(path.join(gate, "pid"), "utf8").startsWith(`${step} `);
    const pid = () => Number(readFileSync(path.join(gate, "pid"), "utf8").split(" ")[1]);
    const first = halftoneTrain([script, ...onRay, "--", gate]);
    await until("worker 1 waits", waiting(5));
    const own = ancestorsOf(pid()).find((each) => processesWith("ray::").includes(each));
    process.kill(own!, "SIGKILL");
    const lost = await first.ended;
    assert.equal(lost.status, 1);
    assert.match(lost.stderr, /worker 1 \(127\.0\.0\.1:\d+\) has ended/);
    assert.match(lost.stderr, /^Worker 1 on \S+ was lost \(\w+\)\.$/m);
    assert.ok(existsSync(path.join(gate, "state.safetensors")));
    const second = halftoneTrain([script, ...onRay, "--", gate]);
    await until("worker 1 waits after the next step", waiting(6));
    second.child.kill("SIGINT");
    const { status, stderr } = await second.ended;
    assert.equal(status, 130, stderr);
    assert.match(stderr, /^Job halftone-\w+ of ray:\/\/127\.0\.0\.1:8265 is stopped\.$/m);
    await until("no worker runs", () => processesWith("launch/script.js", "train.ts").length === 0);
  });

  test("a wrong token, a host that does not answer and too few CPUs are one sentence each", async () => {
    const cases: [Started, RegExp][] = [
      [
        halftoneTrain([script, ...onRay], "wrong"),
        /^ray:\/\/127\.0\.0\.1:8265 refuses the token of RAY_AUTH_TOKEN\.\n$/,
      ],
      [
        halftoneTrain([script, "--workers", "2", "--on", "ray://127.0.0.1:9"]),
        /^ray:\/\/127\.0\.0\.1:9 does not answer \(ECONNREFUSED\): [^\n]*\n$/,
      ],
      [
        halftoneTrain([script, "--workers", "3", "--on", address.name]),
        /^3 workers need 1 CPU each, but the cluster has room for 2: its 3 nodes have [\d, ]+ CPU\.\n$/,
      ],
    ];
    for (const [{ ended }, message] of cases) {
      const { status, stderr } = await ended;
      assert.equal(status, 1);
      assert.match(stderr, message);
    }
  });
}
