import assert from "node:assert/strict";
import { test } from "node:test";
import { openNotebook } from "./fixture.ts";

const { run, session } = openNotebook();

const deaths: [what: string, code: string, ename: string, words: RegExp][] = [
  ["process.exit", "process.exit(3)", "ProcessExit", /exit code 3/],
  [
    "process.exit in a timer",
    "setTimeout(() => process.exit(), 1); await new Promise(() => {})",
    "ProcessExit",
    /exit code 0/,
  ],
  ["a segmentation fault", "process.kill(process.pid, 'SIGSEGV'); for (;;);", "Crash", /native code.*SIGSEGV/],
  ["abort", "process.abort()", "Crash", /aborted.*SIGABRT/],
  [
    "the system's killer",
    "process.kill(process.pid, 'SIGKILL'); for (;;);",
    "OutOfMemory",
    /killed from outside.*memory/,
  ],
  [
    "a polite kill",
    "process.kill(process.pid, 'SIGTERM'); await new Promise(() => {})",
    "Crash",
    /was terminated from outside/,
  ],
];

for (const [what, code, ename, words] of deaths) {
  test(`${what} ends the cell with an explanation, and a new host starts`, async () => {
    await run("const lost = 1");
    const { error, outcome } = await run(code);
    assert.equal(outcome.status, "error");
    assert.equal(error?.ename, ename);
    assert.match(error!.evalue, words);
    assert.match(error!.traceback.at(-1)!, /All variables are lost\. The next cell runs in a new process/);
    assert.equal((await run("typeof lost")).text, "'undefined'");
    assert.equal((await run("1 + 1")).text, "2");
  });
}

test("a full JavaScript heap is reported, with the last memory figures", async () => {
  const { run: runSmall } = openNotebook({ env: { ...process.env, NODE_OPTIONS: "--max-old-space-size=200" } });
  const { error, stderr } = await runSmall(
    "const hog: unknown[] = []; for (;;) hog.push(new Array(1000).fill(hog.length))",
  );
  assert.equal(error?.ename, "OutOfMemory");
  assert.equal(error?.evalue, "the JavaScript heap is full");
  const text = error!.traceback.join("\n");
  assert.match(
    text,
    /Memory when last measured: [\d.]+ [MG]iB resident(, of which JavaScript heap [\d.]+ [MG]iB)? \(heap limit [\d.]+ [MG]iB\)/,
  );
  assert.match(text, /--max-old-space-size/);
  assert.doesNotMatch(stderr, /Last few GCs|Native stack trace/);
});

test("output from before a crash is kept", async () => {
  const { stdout, error } = await run(
    "console.log('last words'); process.stdout.write('no newline'); process.exit(1);",
  );
  assert.equal(stdout, "last words\nno newline");
  assert.match(error!.evalue, /exit code 1/);
});

test("exit handlers run", async () => {
  const { stdout, error } = await run("process.on('exit', (code) => console.log('bye', code)); process.exit(4)");
  assert.equal(stdout, "bye 4\n");
  assert.match(error!.evalue, /exit code 4/);
});

test("a host that dies between two cells is reported in the last one", async () => {
  const cell = await run("setTimeout(() => process.exit(5), 5); 1");
  assert.equal(cell.text, "1");
  assert.match((await cell.next("error")).evalue, /exit code 5/);
  assert.equal((await run("2")).text, "2");
});

const misuses = [
  ["writes to the kernel's pipe", "require('fs').writeSync(4, 'no message of the kernel');"],
  ["writes to the pipe of the guard", "require('fs').writeSync(5, 'no message of the kernel');"],
  ["closes the pipe of the commands", "require('fs').closeSync(3);"],
  ["closes the pipe of the outputs", "require('fs').closeSync(4);"],
];
for (const [what, code] of misuses)
  test(`a program that ${what} is ended, which its cell or the next one reports`, async () => {
    const [first, next] = [await run(code!), await run("'next'")];
    const { text } = next;
    // Both may have ended before the kernel reads its pipe.
    const error = first.error ?? (await next.next("error"));
    assert.equal(error.ename, "Crash");
    assert.match(error.traceback.join("\n"), /file descriptor.*\nAll variables are lost/s);
    if (first.error) assert.equal(text, "'next'");
    assert.equal((await run("'after'")).text, "'after'");
  });

test("an interrupt ends the process that does not say how its cell ended", async () => {
  const own = openNotebook({ interruptGrace: 200 });
  const mute = `Object.defineProperty(Object.prototype, "toJSON", { value: () => ({}) });`;
  const cell = own.start(mute, { onStart: () => setTimeout(() => own.session.interrupt(), 500) });
  assert.equal((await cell.ended).error?.ename, "KeyboardInterrupt");
  assert.equal((await own.run("'after'")).text, "'after'");
});

test("waiting cells run on the new host", async () => {
  const first = run("process.exit(1)");
  const second = run("'after'");
  assert.equal((await first).error?.ename, "ProcessExit");
  assert.equal((await second).text, "'after'");
});

test("history and execution count continue after a crash", async () => {
  const before = session.executionCount;
  assert.equal((await run("process.exit(0)")).error?.ename, "ProcessExit");
  const { outcome } = await run("'counted';");
  assert.equal(outcome.executionCount, before + 2);
  assert.deepEqual(session.executedCells.at(-1), { executionCount: before + 2, code: "'counted';" });
});

test("a host that cannot start is an error in each cell, not a loop", async () => {
  const { run: runThere } = openNotebook({ env: { NODE_OPTIONS: "--no-such-option-at-all" } });
  const { error } = await runThere("1");
  assert.match(error!.traceback.join("\n"), /exited before it was ready.*no-such-option-at-all/s);
  assert.equal((await runThere("2")).error?.ename, "ProcessExit");
});
