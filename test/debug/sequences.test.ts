/**
 * Random requests of the debugger, with cells that run meanwhile. 20 sequences by default, each twice;
 * `HALFTONE_DEBUG_SEQUENCES=200 node --test dist/test/debug/sequences.test.js` runs as many.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Json } from "../../kernel/jupyter/messages.ts";
import { type Client, startKernel } from "../jupyter/client.ts";
import type { Exchange } from "../jupyter/exchange.ts";
import { generator } from "../jupyter/odd-messages.ts";

const COUNT = Number(process.env.HALFTONE_DEBUG_SEQUENCES ?? 20);
const SEED = Number(process.env.HALFTONE_DEBUG_SEED ?? 19);
const LENGTH = 20;

const cells = [
  "let n = 0;\nfor (let k = 0; k < 3; k++) {\n  n += k;\n}\nn",
  "async function wait(ms: number) {\n  await new Promise((go) => setTimeout(go, ms));\n  return ms;\n}\nawait wait(2);\nawait wait(1)",
  "function deep(x: number): number {\n  if (x > 3) throw new Error('deep');\n  return deep(x + 1);\n}\ntry { deep(0); } catch {}\ndebugger;\ndeep(2)",
];

type Random = ReturnType<typeof generator>;

/** One request, as sensible or senseless as chance has it. */
function request(random: Random, paths: readonly string[]): { command: string; arguments: Json } {
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)]!;
  const number = () => pick([0, 1, 2, 3, 4, 1_000_001, 2_000_001, 2 ** 30 + 1, -1]);
  const line = () => random(9);
  const makers: Record<string, () => Json> = {
    initialize: () => ({ clientID: pick(["jupyterlab", "vscode"]), adapterID: "x" }),
    attach: () => ({}),
    configurationDone: () => ({}),
    disconnect: () => ({}),
    debugInfo: () => ({}),
    dumpCell: () => ({ code: pick(cells) }),
    threads: () => ({}),
    modules: () => ({}),
    setBreakpoints: () => ({
      source: { path: pick(paths) },
      breakpoints: Array.from({ length: line() % 3 }, () => ({
        line: line(),
        ...pick([
          {},
          { condition: pick(["n > 1", "x ===", "true"]) },
          { hitCondition: "2" },
          { logMessage: "n = {n}" },
        ]),
      })),
    }),
    setExceptionBreakpoints: () => ({ filters: pick([[], ["all"], ["uncaught"], ["odd"]]) }),
    stackTrace: () => ({ threadId: 1 }),
    scopes: () => ({ frameId: number() }),
    variables: () => ({ variablesReference: number() }),
    setVariable: () => ({ variablesReference: number(), name: pick(["n", "x", "no"]), value: pick(["1", "x", "("]) }),
    evaluate: () => ({
      expression: pick(["n", "1 + 1", "x +", "throw 1", "n = 5"]),
      frameId: pick([undefined, number()]),
    }),
    inspectVariables: () => ({}),
    richInspectVariables: () => ({ variableName: pick(["n", "deep", "no"]) }),
    copyToGlobals: () => ({ srcVariableName: "n", dstVariableName: "copy", srcFrameId: number() }),
    exceptionInfo: () => ({ threadId: 1 }),
    pause: () => ({ threadId: 1 }),
    source: () => ({ source: { path: pick(paths) } }),
    unknown: () => ({}),
  };
  const moves = ["continue", "next", "stepIn", "stepOut", "continue", "next"];
  const command = random(10) < 4 ? pick(moves) : pick(Object.keys(makers));
  return { command, arguments: makers[command]?.() ?? { threadId: 1 } };
}

for (const turn of ["first", "second"]) {
  test(`the ${turn} time: of ${COUNT} random sequences each request has one answer, and the kernel goes on`, async (t) => {
    const kernel = await startKernel({ env: { HALFTONE_TYPES: "off" } });
    const random = generator(SEED);
    const { tmpFilePrefix } = (await ask(kernel, "debugInfo", {})).body as { tmpFilePrefix: string };
    const paths = ["/nowhere.ts", `${tmpFilePrefix}1.ts`];
    for (const code of cells)
      paths.push(((await ask(kernel, "dumpCell", { code })).body as { sourcePath: string }).sourcePath);
    for (let at = 0; at < COUNT; at++) await sequence(kernel, random, paths, t);
    await finish(kernel, []);
    assert.equal(await kernel.value("40 + 2"), "42");
    kernel.forget();
    kernel.takeLog();
  });
}

async function ask(kernel: Client, command: string, given: Json): Promise<Json> {
  const content = { type: "request", seq: 1, command, arguments: given };
  const exchange = kernel.request("debug_request", content, { channel: "control" });
  const { content: reply } = await exchange.reply();
  assert.equal(typeof reply.success, "boolean", JSON.stringify(reply));
  if (!reply.success) assert.match(String(reply.message), /\S/);
  await exchange.published.until("idle");
  return reply;
}

async function sequence(kernel: Client, random: Random, paths: readonly string[], t: TestContext): Promise<void> {
  const started: Exchange[] = [];
  const history: string[] = [];
  try {
    if (random(10) < 9) for (const command of ["initialize", "attach"]) await ask(kernel, command, {});
    for (let at = 0; at < LENGTH; at++) {
      if (random(20) < 3) started.push(kernel.execute(cells[random(cells.length)]!));
      const { command, arguments: given } = request(random, paths);
      history.push(`${command} ${JSON.stringify(given)}`);
      await ask(kernel, command, given);
    }
    await finish(kernel, started);
  } catch (error) {
    t.diagnostic(history.join("\n"));
    throw error;
  }
  kernel.forget();
}

/** Detaching lets everything end. */
async function finish(kernel: Client, started: readonly Exchange[]): Promise<void> {
  await ask(kernel, "disconnect", {});
  for (const cell of started) {
    await cell.published.until("idle");
    await cell.reply();
  }
}
