/**
 * What the debugger costs while nothing is stopped, in processor time of the kernel process and the notebook's process: without a
 * debug request, after one has attached and gone, attached, and attached with a breakpoint elsewhere. The four take turns.
 *
 *     npm run build && node dist/bench/debugger.js [rounds]
 */
import { readdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { DebugServer } from "../kernel/debug/server.ts";
import { Session } from "../kernel/session/session.ts";

const rounds = Number(process.argv[2] ?? 40);
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
const ways = ["never", "detached", "attached", "breakpoint elsewhere"] as const;

console.log(`load ${loadavg()[0]?.toFixed(1)} when it began, ${rounds} rounds`);
const sessions = await Promise.all(ways.map(start));
for (const [name, { code, times }] of Object.entries(workloads)) {
  const spent = ways.map((): number[] => []);
  for (let round = -2; round < rounds; round++)
    for (let turn = 0; turn < ways.length; turn++) {
      const at = (turn + Math.max(0, round)) % ways.length;
      const { session, pid } = sessions[at]!;
      const before = processorTime(pid);
      for (let time = 0; time < times; time++) await run(session, code);
      if (round >= 0) spent[at]!.push(processorTime(pid) - before);
    }
  console.log(name);
  for (const [at, way] of ways.entries()) {
    const differences = [0.1, 0.5].map((share) => quantile(spent[at]!, share) / quantile(spent[0]!, share) - 1);
    const [fastest, median] = differences.map((each) => `${(each * 100).toFixed(1)} %`);
    const time = quantile(spent[at]!, 0.1).toFixed(1);
    console.log(`  ${way.padEnd(22)} 10 % quantile ${time} ms, ${fastest}; by the median ${median}`);
  }
}
for (const { session } of sessions) await session[Symbol.asyncDispose]();

async function start(way: (typeof ways)[number]): Promise<{ session: Session; pid: number }> {
  const session = Session.start({ cwd: process.cwd(), types: { policy: "off" } });
  const pid = Number(await run(session, "process.pid"));
  if (way === "never") return { session, pid };
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

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
}
