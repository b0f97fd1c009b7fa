/**
 * What the debugger costs while nothing is stopped, in processor time of the kernel process and the notebook's process: without the
 * debugger (a copy of this package in which the debugger's modules of the notebook's process do nothing), with it available but
 * without a debug request, after one has attached and gone, and attached. They take turns.
 *
 * Two processes that do the same differ by several per cent for as long as they live, so each block has new ones, and each figure is a
 * median over blocks with its 95 % interval, which needs six blocks (that of the sign test, Thompson 1936). "without, again" is a second process of the first kind: its interval is what this machine
 * cannot tell from nothing.
 *
 *     npm run build && node dist/bench/debugger.js [blocks]
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DebugServer } from "../kernel/debug/server.ts";
import { Session } from "../kernel/session/session.ts";

const blocks = Number(process.argv[2] ?? 20);
const rounds = 8;
/** A cell that runs once; the steps are those of bench/step's first setting. */
const setup = `import { adamW, fixedLengthBatches, listOps, listOpsVocabulary, train, transformerClassifier } from "halftone";
const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, heads: 4, features: 64, hidden: 256, layers: 2, maxLength: 64 };
const model = transformerClassifier({ ...sizes, activation: "relu", dropout: 0.1 });
const optimizer = adamW(model.parameters, { clipNorm: 1 });
const examples = listOps({ count: 32, seed: 1, minLength: 16, maxLength: 64 });
const batches = fixedLengthBatches(examples, { batchSize: 32, maxLength: 64 });
async function steps(capture: boolean): Promise<void> {
  await train({ model, batches, optimizer, steps: 2, seed: 1, capture, progress: false });
}`;
const workloads = {
  "50 small cells": { code: "const x = [1, 2, 3].map((n) => n * 2);\nx.length", times: 50 },
  "a loop of calls": {
    code: "function add(a: number, b: number) { return a + b; }\nlet sum = 0;\nfor (let i = 0; i < 2e7; i++) sum = add(sum, i);\nsum",
    times: 1,
  },
  "2 training steps, op by op": { code: "await steps(false);", times: 1 },
  "2 training steps, captured": { code: "await steps(true);", times: 1 },
};
const ways = ["without", "without, again", "available", "detached", "attached"] as const;

console.log(`load ${loadavg()[0]?.toFixed(1)} when it began, ${blocks} blocks of ${rounds} rounds`);
const copy = copyWithoutDebugger();
const { Session: SessionWithout } = (await import(
  pathToFileURL(path.join(copy, "dist/kernel/session/session.js")).href
)) as { Session: typeof Session };
/** By workload and way, the fastest round of each block. */
const fastest = Object.keys(workloads).map(() => ways.map((): number[] => []));
try {
  for (let block = 0; block < blocks; block++) {
    const order = ways.map((_, i) => ways[(i + block) % ways.length]!);
    const sessions: Awaited<ReturnType<typeof start>>[] = [];
    for (const way of order) sessions.push(await start(way));
    for (const [w, { code, times }] of Object.values(workloads).entries()) {
      const spent = ways.map((): number[] => []);
      // A step is captured when it has run three times.
      for (let round = -4; round < rounds; round++)
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
    if (block >= 5) print(block + 1);
  }
} finally {
  rmSync(copy, { recursive: true });
}

function print(done: number): void {
  console.log(`\nafter ${done} blocks`);
  for (const [w, name] of Object.keys(workloads).entries()) {
    const [base, ...others] = fastest[w]!;
    console.log(`${name}: ${median(base!).toFixed(1)} ms without the debugger`);
    for (const [i, way] of ways.slice(1).entries()) {
      const percents = others[i]!.map((time, block) => 100 * (time / base![block]! - 1)).toSorted((a, b) => a - b);
      const outside = beyondInterval(done);
      const [low, high] = [percents[outside]!, percents[done - 1 - outside]!];
      console.log(
        `  ${way.padEnd(15)} ${median(percents).toFixed(1).padStart(6)} % (${low.toFixed(1)} to ${high.toFixed(1)})`,
      );
    }
  }
}

/** A folder with this package as it would be without the debugger. */
function copyWithoutDebugger(): string {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-without-debugger-"));
  cpSync(path.join(root, "dist"), path.join(folder, "dist"), { recursive: true });
  cpSync(path.join(root, "package.json"), path.join(folder, "package.json"));
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  const host = path.join(folder, "dist/kernel/host");
  writeFileSync(path.join(host, "debug.js"), "export function installDebugHooks() {}\n");
  writeFileSync(path.join(host, "run/debug-pipe.js"), "export class DebugPipe { release() {} detach() {} }\n");
  return folder;
}

async function start(way: (typeof ways)[number]): Promise<{ session: Session; pid: number }> {
  // With one thread, because the time that TensorFlow's other threads spend waiting for work differs from run to run.
  const env = { ...process.env, TF_NUM_INTRAOP_THREADS: "1" };
  const { start } = way.startsWith("without") ? SessionWithout : Session;
  const session = start({ cwd: process.cwd(), env, types: { policy: "off" } });
  await run(session, setup);
  const pid = Number(await run(session, "process.pid"));
  if (way.startsWith("without") || way === "available") return { session, pid };
  const server = new DebugServer(session, () => {});
  const ask = async (command: string) => {
    const { success, message } = await server.answer({ type: "request", seq: 1, command });
    if (!success) throw new Error(`${command}: ${message}`);
  };
  await ask("initialize");
  await ask("attach");
  if (way === "detached") await ask("disconnect");
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}

/** How many of `count` sorted values lie below the 95 % interval of their median, and as many above it. */
function beyondInterval(count: number): number {
  let outside = -1;
  // Each value is below the true median with probability 1/2: the probability of exactly so many below it.
  let exactly = 0.5 ** count;
  for (let below = 0, atMost = exactly; 2 * atMost <= 0.05; below++) {
    outside = below;
    exactly *= (count - below) / (below + 1);
    atMost += exactly;
  }
  return Math.max(0, outside);
}
