import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Output } from "../../kernel/protocol/output.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook } from "./fixture.ts";

const { run } = openNotebook();

/** Stream outputs of one name that follow one another are one. */
function joined(outputs: Output[]): Output[] {
  const all: Output[] = [];
  for (const output of outputs) {
    const last = all.at(-1);
    if (output.type === "stream" && last?.type === "stream" && last.name === output.name) last.text += output.text;
    else all.push({ ...output });
  }
  return all;
}

const display = `(globalThis as any)[Symbol.for("halftone.display")]`;

test("console's methods write what Node's do, errors and warnings to stderr", async () => {
  const { stdout, stderr } = await run(`
    console.log("a %s b %d", "x", 5, { y: [1] }); console.info("i"); console.debug("d");
    console.group("g"); console.log("in"); console.groupEnd();
    console.table([{ a: 1 }]); console.dir({ deep: { deeper: {} } }, { depth: 0 });
    console.count(); console.count(); console.assert(true, "no"); console.assert(false, "yes");
    console.error("e"); console.warn("w"); console.trace("t"); console.time("x"); console.timeEnd("x")`);
  const table = "┌─────────┬───┐\n│ (index) │ a │\n├─────────┼───┤\n│ 0       │ 1 │\n└─────────┴───┘\n";
  assert.match(stdout, /^a x b 5 \{ y: \[ 1 \] \}\ni\nd\ng\n {2}in\n/);
  assert.ok(stdout.includes(table), stdout);
  assert.ok(stdout.includes("{ deep: [Object] }\ndefault: 1\ndefault: 2\n"));
  assert.match(stdout, /x: [\d.]+ms\n$/);
  assert.match(stderr, /^Assertion failed: yes\ne\nw\nTrace: t\n {4}at cell \[\d+\]:6:\d+\n$/);
});

test("process.stdout and stderr write at once, bytes too", async () => {
  const { outputs } = await run(`
    process.stdout.write("a"); process.stderr.write("b"); process.stdout.write(Buffer.from("cé\\n"));
    await new Promise<void>((go) => process.stdout.write("d", () => go()));`);
  assert.deepEqual(joined(outputs), [
    { type: "stream", name: "stdout", text: "a" },
    { type: "stream", name: "stderr", text: "b" },
    { type: "stream", name: "stdout", text: "cé\nd" },
  ]);
});

test("process.stdout takes a character in pieces, every encoding, and an end, as Node's own does", async () => {
  const writing = `
    process.stdout.write(Buffer.from([0xe2, 0x82])); process.stdout.write(Buffer.from([0xac]));
    process.stdout.write("e282ac", "hex"); process.stdout.write("4oKs", "base64"); process.stdout.write("\\u00e9", "latin1");
    process.stdout.write(new Uint16Array([0x6968])); process.stdout.write(Buffer.from([0xe2])); process.stdout.write("x");
    for (const bad of [["x", "nope"], [null], [5]])
      try { (process.stdout.write as any)(...bad) } catch (error: any) { process.stdout.write(error.code + " ") }
    process.stdout.end("end");`;
  // What Node itself writes for this; its stdout is at its end then.
  const child = spawnSync(process.execPath, ["-e", writing.replaceAll(" as any", "").replaceAll(": any", "")]);
  assert.equal((await run(writing)).stdout, child.stdout.toString());
  const after = await run(`await new Promise<void>((done) => process.stdout.write("after", () => done()))`);
  assert.equal(after.stdout, "after");
  const last = await run(`await new Promise<void>((done) => process.stdout.end("still", done))`);
  assert.equal(last.stdout, "still");
});

test("process.stdout works after a pipeline into it, and after destroy()", async () => {
  const piped = await run(`import { Readable } from "node:stream";
    import { pipeline } from "node:stream/promises";
    await pipeline(Readable.from(["a", "b"]), process.stdout);
    process.stdout.destroy(); void 0;`);
  // In Node the first pipeline resolves too; its stdout is at its end then, which no cell may bring about for the next.
  assert.equal(piped.stdout, "ab");
  const again = await run(`await pipeline(Readable.from(["c", "d"]), process.stdout);
    console.log(process.stdout.writable, process.stdout.destroyed)`);
  assert.equal(again.stdout, "cdtrue false\n");
});

test("clearOutput clears the cell's output, at once or with the next output", async () => {
  const { outputs } = await run(
    `console.log(1); clearOutput({ wait: true }); console.log(2); clearOutput(); console.clear()`,
  );
  assert.deepEqual(outputs, [
    { type: "stream", name: "stdout", text: "1\n" },
    { type: "clear", wait: true },
    { type: "stream", name: "stdout", text: "2\n" },
    { type: "clear", wait: false },
    { type: "clear", wait: false },
  ]);
});

test("an empty write is no output", async () => {
  const { outputs } = await run(`process.stdout.write(""); process.stderr.write(Buffer.alloc(0)); 0;`);
  assert.deepEqual(outputs, []);
});

test("output appears while a cell blocks", async () => {
  // The cell leaves its loop when the file is there, which is written when its first output has come.
  const file = path.join(temporaryFolder(), "seen");
  const code = `console.log('first'); while (!require("fs").existsSync(${JSON.stringify(file)})); console.log('second')`;
  const { stdout } = await run(code, { onOutput: () => writeFileSync(file, "") });
  assert.equal(stdout, "first\nsecond\n");
});

test("streams and displays keep their order", async () => {
  const { outputs } = await run(`
    console.log("one"); ${display}({ "text/html": "<b>two</b>" }); console.error("three");
    ${display}({ "text/plain": "four" }, { displayId: "d", metadata: { m: 1 } });
    console.log("five"); ${display}({ "text/plain": "six" }, { displayId: "d", update: true }); console.clear(); 7`);
  assert.deepEqual(outputs, [
    { type: "stream", name: "stdout", text: "one\n" },
    { type: "display", data: { "text/html": "<b>two</b>" }, metadata: {} },
    { type: "stream", name: "stderr", text: "three\n" },
    { type: "display", data: { "text/plain": "four" }, metadata: { m: 1 }, displayId: "d" },
    { type: "stream", name: "stdout", text: "five\n" },
    { type: "update", data: { "text/plain": "six" }, metadata: {}, displayId: "d" },
    { type: "clear", wait: false },
    { type: "result", data: { "text/plain": "7" }, metadata: {} },
  ]);
});

test("a displayId that is not a string is an error, because Python clients cannot look it up", async () => {
  const { error } = await run(
    `(globalThis as any)[Symbol.for("halftone.display")]({ "text/plain": "a" }, { displayId: { a: 1 } })`,
  );
  assert.equal(error?.evalue, "display: displayId must be a string, got object. Pass String(...).");
});

test("output of a child process to the inherited stdout keeps its order", async () => {
  const { outputs, stderr } = await run(`
    const { execSync } = require("node:child_process");
    for (let i = 0; i < 5; i++) {
      console.log("before", i);
      execSync("echo native " + i + "; echo error " + i + " >&2", { stdio: "inherit" });
      ${display}({ "text/plain": "shown " + i });
    }`);
  // Between two marks, stdout and stderr of others are two pipes without an order.
  const out = outputs.filter((output) => output.type !== "stream" || output.name === "stdout");
  const told = joined(out).map((output) => (output.type === "stream" ? output.text : output.type));
  assert.deepEqual(
    told,
    [0, 1, 2, 3, 4].flatMap((i) => [`before ${i}\nnative ${i}\n`, "display"]),
  );
  assert.equal(stderr, [0, 1, 2, 3, 4].map((i) => `error ${i}\n`).join(""));
});

test("a hundred thousand lines arrive complete and in order", async () => {
  const { stdout } = await run("for (let i = 0; i < 100_000; i++) console.log('line', i)");
  const expected = Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join("");
  assert.equal(stdout.length, expected.length);
  assert.ok(stdout === expected);
});

test("a flood is coalesced: far fewer outputs than lines", async () => {
  const { outputs } = await run("for (let i = 0; i < 50_000; i++) console.log(i)");
  assert.ok(outputs.length < 5_000, `${outputs.length} outputs`);
});

test("one output of 50 MB arrives complete", async () => {
  const { stdout } = await run("process.stdout.write('x'.repeat(50_000_000)); ");
  assert.equal(stdout.length, 50_000_000);
});

test("any bytes and characters pass: NUL, lone surrogates, emoji over a chunk's edge", async () => {
  const { stdout } = await run(`process.stdout.write("a\\0b" + "\\u{1F600}".repeat(400_000) + "\\n");`);
  assert.equal(stdout, `a\0b${"\u{1F600}".repeat(400_000)}\n`);
  const native = await run(`require("fs").writeSync(1, Buffer.from("x\\0y\\u{1F600}".repeat(20_000)));`);
  assert.equal(native.stdout, "x\0y\u{1F600}".repeat(20_000));
});

test("late output goes to the cell that started the work, even after another cell has run", async () => {
  const first = await run("setTimeout(() => console.log('late from first'), 30); 1");
  const second = await run("await new Promise((go) => setTimeout(go, 60)); console.log('from second')");
  assert.equal(first.text, "1");
  assert.deepEqual(await first.next("stream"), { type: "stream", name: "stdout", text: "late from first\n" });
  assert.equal(second.stdout, "from second\n");
});

test("output after an await, and from a function of another cell, goes to the cell that runs", async () => {
  await run("const say = async (what: string) => { await new Promise((go) => setTimeout(go, 5)); console.log(what) }");
  assert.equal((await run("await say('here')")).stdout, "here\n");
});

test("cells of two lanes each get their own output", async () => {
  const count = (name: string) =>
    `for (let i = 0; i < 5; i++) { await new Promise((go) => setTimeout(go, 2)); console.log('${name}' + i) }`;
  const [one, two] = await Promise.all([run(count("a")), run(count("b"), { lane: "side" })]);
  assert.equal(one.stdout, "a0\na1\na2\na3\na4\n");
  assert.equal(two.stdout, "b0\nb1\nb2\nb3\nb4\n");
});

test("all output of a cell comes before its end", async () => {
  for (let round = 0; round < 20; round++) {
    const { outputs } = await run(
      "require('child_process').execSync('echo native', { stdio: 'inherit' }); console.log('own'); 1",
    );
    assert.deepEqual(outputs.map(({ type }) => type).at(-1), "result");
    assert.equal(outputs.map((output) => (output.type === "stream" ? output.text : "")).join(""), "native\nown\n");
  }
});
