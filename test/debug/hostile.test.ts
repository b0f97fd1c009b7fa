/** Requests and values of the kind that break debuggers: each is answered, and the session goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../kernel/jupyter/messages.ts";
import { startDebugging, type Variable } from "./client.ts";

const debug = await startDebugging();
const { kernel } = debug;

test("messages that are no requests, and arguments of a wrong kind, are refused in a sentence", async () => {
  const refusal = async (content: unknown) => {
    const reply = await kernel.ask("debug_request", content as Json, "control");
    assert.equal(reply.success, false, JSON.stringify(reply));
    return String(reply.message);
  };
  for (const content of [{}, [], 5, "x", { command: 5 }])
    assert.equal(await refusal(content), "A debug request needs a command, which is text.");
  assert.equal(
    await refusal({ type: "response", seq: 1, command: "debugInfo" }),
    'A debug request\'s type is "request", got "response".',
  );
  assert.equal(await debug.refusal("setBreakpoints"), "setBreakpoints: source is missing.");
  assert.equal(
    await debug.refusal("setBreakpoints", { source: { path: "/x.ts" }, breakpoints: [{ line: 1.5 }] }),
    "setBreakpoints: breakpoints.0.line must be a whole number, got 1.5.",
  );
  assert.match(await debug.refusal("initialize", { linesStartAt1: false }), /lines and columns start at 1 here/);
});

test("a source that is a device or a folder is one that cannot be read", async () => {
  for (const path of ["/dev/zero", "/dev/stdin", "/"]) {
    const [point] = await debug.breakpointsAt(path, 1);
    assert.equal(point!.message, "The file cannot be read, so no line of it can be stopped at.");
    assert.match(await debug.refusal("source", { source: { path } }), /^There is no source /);
    await debug.breakpointsAt(path);
  }
});

test("a thread other than the one is refused", async () => {
  await debug.attach();
  assert.equal(await debug.refusal("pause", { threadId: 7 }), "There is no thread 7: the program has one, 1.");
});

const code = `class Sub { #own = 1; x = 2; get fixed() { return 3; } }
function hold(this: unknown, arg: number) {
  const angry = new Proxy({}, { get() { throw new Error("get"); }, has() { throw new Error("has"); } });
  const huge = Array.from({ length: 1e6 }, (_, index) => index);
  const sub = new Sub(), frozen = Object.freeze([1]), bytes = new Uint8Array(2), promise = Promise.resolve(1);
  const bad = { [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("inspect"); } };
  Object.assign(globalThis, { "odd name": 5 });
  let free = 0;
  debugger;
  return [arg, angry, huge, sub, frozen, bytes, promise, bad, free].length;
}
hold.call({ me: 1 }, 1)`;

async function stopped(look: () => Promise<void>): Promise<void> {
  const cell = await debug.stops(code, "breakpoint");
  await look();
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
}

const names = (variables: readonly Variable[]) => variables.map(({ name }) => name);

test("setVariable sets only what is listed, and says what cannot be set", async () => {
  await stopped(async () => {
    const [{ variablesReference: local } = { variablesReference: 0 }] = await debug.scopes();
    const set = (variablesReference: number, name: string, value: string) =>
      debug.refusal("setVariable", { variablesReference, name, value });
    assert.equal(
      await set(local, "free; globalThis.hacked = 1", "3"),
      'There is no "free; globalThis.hacked = 1" here to set.',
    );
    assert.equal(await set(local, "nothing", "3"), 'There is no "nothing" here to set.');
    assert.match(await set(local, "this", "3"), /^this cannot be set here/);
    assert.equal(await set(local, "free", "(() => { throw 5; })()"), "It threw 5.");
    assert.match(await set(local, "free", "import('node:fs')"), /^import\(\) cannot be evaluated here/);
    const scope = await debug.scope("Local");
    const of = (name: string) => scope.get(name)!.variablesReference;
    assert.equal(await set(of("frozen"), "0", "2"), "0 cannot be changed: it is read-only.");
    assert.equal(await set(of("sub"), "fixed", "2"), "fixed cannot be changed: it is read-only.");
    assert.match(await set(of("sub"), "#own", "2"), /^#own cannot be set here/);
    assert.equal(await set(of("sub"), "y", "2"), 'There is no "y" here to set.');
    const { value } = await debug.body<{ value: string }>("setVariable", {
      variablesReference: of("bytes"),
      name: "1",
      value: "300",
    });
    assert.equal(value, "44");
    assert.equal(await debug.value("typeof hacked + free"), '"undefined0"');
  });
});

test("values whose own code throws are shown, and long arrays are listed at once", async () => {
  await stopped(async () => {
    const scope = await debug.scope("Local");
    const list = (name: string) => debug.variables(scope.get(name)!.variablesReference);
    assert.equal((await list("huge")).length, 100);
    assert.deepEqual(names(await list("angry")).slice(0, 1), ["[[Handler]]"]);
    assert.deepEqual(names(await list("promise")), ["[[PromiseState]]", "[[PromiseResult]]"]);
    assert.ok(!names(await list("this")).includes("__proto__"));
    const [frame] = await debug.frames();
    for (const variableName of ["angry", "bad"]) {
      const { data } = await debug.body<{ data: Json }>("richInspectVariables", { variableName, frameId: frame!.id });
      assert.equal(typeof data["text/plain"], "string");
    }
  });
});

test("copyToGlobals takes no name of Node's or of the language, and variables are listed afterwards", async () => {
  await stopped(async () => {
    const [frame] = await debug.frames();
    const copy = (dstVariableName: string) => ({ srcVariableName: "arg", dstVariableName, srcFrameId: frame!.id });
    for (const name of ["if", "let", "await"])
      assert.match(await debug.refusal("copyToGlobals", copy(name)), /cannot be the name of a variable/);
    for (const name of ["process", "undefined", "__proto__", "console"])
      assert.match(await debug.refusal("copyToGlobals", copy(name)), /is a name of Node's or of the language/);
    await debug.body("copyToGlobals", copy("mine"));
    const listed = await debug.scope("Global");
    assert.deepEqual([listed.get("mine")!.value, listed.get("odd name")!.value], ["1", "5"]);
  });
});

test("an error that only sounds like V8's is shown as it is", async () => {
  await stopped(async () => {
    const [frame] = await debug.frames();
    const expression = "(() => { throw new Error('Execution was terminated by a possible side-effect'); })()";
    const message = await debug.refusal("evaluate", { expression, frameId: frame!.id });
    assert.equal(message, "Error: Execution was terminated by a possible side-effect");
  });
});

test("the first cell after the host's end stops, because it waits until the debugger is attached", async () => {
  const cell = kernel.execute("process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})");
  await debug.ends(cell, "execute_input", "error");
  const next = await debug.stops("debugger;", "breakpoint");
  await debug.goOn(next);
  await debug.ends(next);
});
