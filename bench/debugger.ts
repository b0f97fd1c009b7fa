/**
 * What the debugger costs while nothing is stopped, in processor time of the kernel process and the notebook's process: without a
 * debug request, after one has attached and gone, attached, and attached with a breakpoint elsewhere. They take turns.
 *
 * Two processes that do the same differ by more than a few per cent for as long as they live, so each block of rounds has new ones, and
 * each figure is a mean over blocks with its 95 % interval. "never, again" is a second process without a debug request: its interval is
 * what this machine cannot tell from nothing.
 *
 *     npm run build && node dist/bench/debugger.js [blocks]
 */
import { readdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { DebugServer } from "../kernel/debug/server.ts";
import { Session } from "../kernel/session/session.ts";

const blocks = Number(process.argv[2] ?? 10);
const rounds = 8;
const workloads = {
  "100 small cells": { code: "const x = [1, 2, 3].map((n) => n * 2);\nx.length", times: 100 },
  "a loop of calls": {
    code: "function add(a: number, b: number) { return a + b; }\nlet sum = 0;\nfor (let i = 0; i < 2e7; i++) sum = add(sum, i);\nsum",
    times: 1,
  },
  "300 steps of tensors": {
    code: `import { grad, tensor, tf } from "halftone";
const weights = tensor(Array.from({ length: 64 }, (_, i) => Array.from({ length: 64 }, (_, j) => Math.sin(i * j))));
const slope = grad((w: typeof weights) => w.matMul(w).sum());
for (let step = 0; step < 300; step++) tf.tidy(() => void slope(weights).dataSync());`,
    times: 1,
  },
};
const ways = ["never", "never, again", "detached", "attached", "breakpoint elsewhere"] as const;

console.log(`load ${loadavg()[0]?.toFixed(1)} when it began, ${blocks} blocks of ${rounds} rounds`);
/** Student's factor of a 95 % interval, for about ten blocks. */
const student = 2.2;
/** By workload and way, the fastest round of each block. */
const fastest = Object.keys(workloads).map(() => ways.map((): number[] => []));
for (let block = 0; block < blocks; block++) {
  const order = ways.map((_, i) => ways[(i + block) % ways.length]!);
  const sessions = await Promise.all(order.map(start));
  for (const [w, { code, times }] of Object.values(workloads).entries()) {
    const spent = ways.map((): number[] => []);
    for (let round = -2; round < rounds; round++)
      for (let turn = 0; turn < ways.length; turn++) {
        const at = (turn + Math.max(0, round)) % ways.length;
        const { session, pid } = sessions[at]!;
        const before = processorTime(pid);
        for (let time = 0; time < times; time++) await run(session, code);
        if (round >= 0) spent[at]!.push(processorTime(pid) - before);
      }
    for (const [at, way] of order.entries()) fastest[w]![ways.indexOf(way)]!.push(Math.min(...spent[at]!));
  }
  for (const { session } of sessions) await session[Symbol.asyncDispose]();
}
for (const [w, name] of Object.keys(workloads).entries()) {
  const [base, ...others] = fastest[w]!;
  console.log(`${name}: ${mean(base!).toFixed(1)} ms without a debug request`);
  for (const [i, way] of ways.slice(1).entries()) {
    const percents = others[i]!.map((time, block) => 100 * Math.log(time / base![block]!));
    const deviation = Math.sqrt(mean(percents.map((each) => (each - mean(percents)) ** 2)) / (blocks - 1));
    console.log(`  ${way.padEnd(22)} ${mean(percents).toFixed(1).padStart(6)} % ± ${(student * deviation).toFixed(1)}`);
  }
}

async function start(way: (typeof ways)[number]): Promise<{ session: Session; pid: number }> {
  // With one thread, because the time that TensorFlow's other threads spend waiting for work differs from run to run.
  const env = { ...process.env, TF_NUM_INTRAOP_THREADS: "1" };
  const session = Session.start({ cwd: process.cwd(), env, types: { policy: "off" } });
  const pid = Number(await run(session, "process.pid"));
  if (way.startsWith("never")) return { session, pid };
  const server = new DebugServer(session, () => {});
  const ask = async (command: string, given: object = {}) => {
    const { success, message } = await server.answer({ type: "request", seq: 1, command, arguments: given });
    if (!success) throw new Error(`${command}: ${message}`);
  };
  await ask("initialize");
  await ask("attach");
  if (way === "detached") await ask("disconnect");
  if (way === "breakpoint elsewhere") {
    const { body } = await server.answer({ command: "dumpCell", arguments: { code: "1 + 1;" } });
    await ask("setBreakpoints", {
      source: { path: (body as { sourcePath: string }).sourcePath },
      breakpoints: [{ line: 1 }],
    });
  }
  return { session, pid };
}

/** Runs a cell; gives its value as text. */
async function run(session: Session, code: string): Promise<string> {
  let value = "";
  const outcome = await session.execute(code, {
    onOutput: (output) => {
      if (output.type === "result") value = String(output.data["text/plain"]);
      if (output.type === "error") throw new Error(`${output.ename}: ${output.evalue}`);
    },
  });
  if (outcome.status !== "ok") throw new Error(`a cell ended as ${outcome.status}`);
  return value;
}

/** Milliseconds of this process and of all threads of another. */
function processorTime(pid: number): number {
  const { user, system } = process.cpuUsage();
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return (user + system) / 1000 + nanoseconds / 1e6;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
