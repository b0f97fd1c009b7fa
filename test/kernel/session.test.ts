import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Session } from "../../kernel/session/session.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook, runIn, startIn, until, untyped } from "./fixture.ts";

const { run, session } = openNotebook();

test("a cell's last expression is its result, and variables persist", async () => {
  assert.equal((await run("const answer: number = 6 * 7; answer")).text, "42");
  assert.equal((await run("answer / 84")).text, "0.5");
});

test("a thrown error ends the cell as an error with its name and message", async () => {
  const { outcome, error } = await run(`throw new RangeError("too far")`);
  assert.equal(outcome.status, "error");
  assert.equal(error?.ename, "RangeError");
  assert.equal(error?.evalue, "too far");
});

test("cells run in the order of their requests", async () => {
  const seen: string[] = [];
  const cells = ["await new Promise((go) => setTimeout(go, 30)); 'slow'", "'quick'"].map((code) =>
    run(code).then(({ text }) => seen.push(text!)),
  );
  await Promise.all(cells);
  assert.deepEqual(seen, ["'slow'", "'quick'"]);
});

test("cells of another lane run beside one that awaits", async () => {
  const waiting = run("await new Promise<void>((go) => { (globalThis as any).release = go }); 'released'");
  assert.equal((await run("(globalThis as any).release(); 'releasing'", { lane: "side" })).text, "'releasing'");
  assert.equal((await waiting).text, "'released'");
});

test("every cell except a silent one is counted and kept in the history", async () => {
  const before = session.executionCount;
  const loud = await run("'loud';");
  const silent = await run("'silent';", { silent: true });
  const unstored = await run("'unstored';", { storeHistory: false });
  assert.deepEqual(
    [loud, silent, unstored].map(({ outcome }) => outcome.executionCount),
    [before + 1, before + 1, before + 1],
  );
  assert.deepEqual(session.executedCells.at(-1), { executionCount: before + 1, code: "'loud';" });
});

test("when a cell with stopOnError fails, waiting cells are abandoned and later ones run", async () => {
  const failing = run("await null; throw new Error('stop')", { stopOnError: true });
  const waiting = run("globalThis.abandoned = false");
  assert.equal((await failing).error?.evalue, "stop");
  assert.equal((await waiting).outcome.status, "abandoned");
  assert.equal((await run("'on'")).text, "'on'");
  const tolerant = run("throw new Error('go on')");
  const next = run("'next'");
  assert.equal((await tolerant).error?.evalue, "go on");
  assert.equal((await next).text, "'next'");
});

test("a signal takes a cell out of the queue before it runs", async () => {
  const abort = new AbortController();
  const first = run("await new Promise((go) => setTimeout(go, 20))");
  const second = run("globalThis.ran = true", { signal: abort.signal });
  abort.abort();
  assert.equal((await second).outcome.status, "abandoned");
  await first;
  assert.equal((await run("typeof (globalThis as any).ran")).text, "'undefined'");
});

test("input is answered by the caller of execute, or is an error in the cell", async () => {
  const ask = `(globalThis as any)[Symbol.for("halftone.input")]`;
  const asked: unknown[] = [];
  const { text } = await run(`await ${ask}("name? ", { password: true })`, {
    onInput: async (request) => {
      asked.push(request);
      return "Ada";
    },
  });
  assert.equal(text, "'Ada'");
  assert.deepEqual(asked, [{ prompt: "name? ", password: true }]);
  assert.match((await run(`await ${ask}("name? ")`)).error!.evalue, /this front end cannot ask for input/);
});

test("a restart starts a new host, ends running cells and abandons waiting ones", async () => {
  await run("const old = 1");
  let waiting: ReturnType<typeof run> | undefined;
  let restarted: Promise<void> | undefined;
  const running = run("console.log('on'); await new Promise(() => {})", {
    onOutput: (output) => {
      if (output.type !== "stream") return;
      waiting = run("2");
      restarted = session.restart();
    },
  });
  const { stdout, error } = await running;
  await restarted;
  assert.equal(stdout, "on\n");
  assert.equal(error?.ename, "Restarted");
  assert.equal((await waiting)?.outcome.status, "abandoned");
  assert.equal((await run("typeof old")).text, "'undefined'");
});

test("the host runs in the notebook's folder with the given environment", async () => {
  const folder = temporaryFolder();
  const there = openNotebook({ cwd: folder, env: { ...process.env, HALFTONE_TEST: "passed on" } });
  const { text } = await there.run(
    "[process.cwd(), process.env.HALFTONE_TEST, process.title, process.env.HALFTONE_HOST]",
  );
  assert.equal(text, `[ '${folder}', 'passed on', 'halftone host', undefined ]`);
});

test("a missing folder is named at once", () => {
  assert.throws(
    () => Session.start({ cwd: "/no/such/folder" }),
    /the notebook's folder does not exist: \/no\/such\/folder/,
  );
});

test("dispose leaves no process behind, even when the host loops", async () => {
  const own = Session.start({ cwd: process.cwd(), ...untyped });
  const running = startIn(own, "console.log('on'); for (;;);");
  await running.prints("on\n");
  const pid = own.hostPid!;
  await own[Symbol.asyncDispose]();
  assert.throws(() => process.kill(pid, 0), /ESRCH/);
  assert.equal((await running.ended).error?.ename, "Restarted");
  assert.equal((await runIn(own, "1")).outcome.status, "abandoned");
});

/** How cells start a process that goes on, and the global that holds its id. */
const starts = `
const { spawn, exec, execFile, fork } = require("node:child_process");
const { Worker } = require("node:worker_threads");
const script = ${JSON.stringify(`${temporaryFolder()}/goes-on.cjs`)};
require("node:fs").writeFileSync(script, "setInterval(() => {}, 1000)");
const inWorker = (code: string) => new Promise<number>((resolve) =>
  new Worker('const { parentPort } = require("node:worker_threads");' + code, { eval: true }).once("message", resolve));
const inShell = (command: string) => Number(require("node:child_process").execSync(command, { encoding: "utf8" }));
const started: number[] = [
  spawn("sleep", ["60"]).pid,
  spawn("sleep", ["60"], { stdio: "inherit" }).pid,
  spawn("sh", ["-c", "trap '' TERM; while :; do sleep 1; done"], { stdio: "ignore" }).pid,
  exec("sleep 60").pid,
  execFile("sleep", ["60"]).pid,
  fork(script).pid,
  inShell("sleep 60 >/dev/null 2>&1 & echo $!"),
  await inWorker('parentPort.postMessage(require("node:child_process").spawn("sleep", ["60"]).pid)'),
];
const stays = spawn("sleep", ["60"], { detached: true, stdio: "inherit" }).pid;
`;

for (const [how, end] of [
  ["dispose", (own) => own[Symbol.asyncDispose]()],
  ["restart", (own) => own.restart()],
  ["the host's death", (own) => runIn(own, "process.kill(process.pid, 'SIGKILL')").then((ran) => void ran.error)],
] as [string, (own: Session) => Promise<void>][])
  test(`${how} ends the cells' child processes, as ipykernel does, and leaves detached ones`, async () => {
    await using own = Session.start({ cwd: process.cwd(), ...untyped });
    assert.equal((await runIn(own, starts)).error, undefined);
    const background = await runIn(own, "!sleep 60 >/dev/null 2>&1 & echo $!");
    const { text } = await runIn(own, "JSON.stringify([...started, stays])");
    const pids = JSON.parse(text!.slice(1, -1)) as number[];
    const stays = pids.pop()!;
    pids.push(Number(background.stdout));
    try {
      assert.ok([...pids, stays].every(isAlive), "all run");
      await end(own);
      for (const pid of pids)
        await until(() => !isAlive(pid), `process ${pids.indexOf(pid)} of ${pids.length} has ended`);
      assert.ok(isAlive(stays), "the detached one stays");
    } finally {
      for (const pid of [...pids, stays]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    }
  });

test("killing a session's process ends its host, even one that loops", async () => {
  const script = `
    import { Session } from ${JSON.stringify(new URL("../../kernel/session/session.js", import.meta.url).href)};
    const session = Session.start({ cwd: process.cwd(), types: { policy: "off" } });
    await session.execute("1", { onOutput() {} });
    session.execute("console.log('on'); for (;;);", { onOutput() { console.log(session.hostPid) } });`;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [chunk] = (await once(parent.stdout!, "data")) as [Buffer];
  const pid = Number(chunk.toString());
  assert.match(execFileSync("ps", ["-o", "pid=", "-p", String(pid)], { encoding: "utf8" }), /\d/);
  parent.kill("SIGKILL");
  await until(() => !isAlive(pid), "the host ends");
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("garbage collection before V8's answer, or after an interrupt removed the answer, does not crash the host", async () => {
  const { run } = openNotebook();
  await run(`import v8 from "node:v8"; import vm from "node:vm"; v8.setFlagsFromString("--expose-gc");
    const collect: () => void = vm.runInNewContext("gc");`);
  assert.equal((await run("await null; collect(); 'awaited'")).text, "'awaited'");
  assert.equal((await run("void Promise.resolve().then(collect); 'beside'")).text, "'beside'");
  const abort = new AbortController();
  const stopped = await run("void Promise.resolve().then(() => { console.log('on'); for (;;); }); 1", {
    signal: abort.signal,
    onOutput: () => abort.abort(),
  });
  assert.equal(stopped.stdout, "on\n");
  assert.equal(stopped.error?.ename, "KeyboardInterrupt");
  assert.equal((await run("collect(); await null; collect(); 'kept'")).text, "'kept'");
});
