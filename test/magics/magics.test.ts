import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { openNotebook, until } from "../kernel/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const folder = temporaryFolder();
const { run, session, start } = openNotebook({ cwd: folder });

test("%time keeps the value of an expression and what a statement declares", async () => {
  const expression = await run("%time await Promise.resolve(21) * 2");
  assert.equal(expression.text, "42");
  assert.match(expression.stdout, /^CPU time: .*, wall time: [\d.]+ (µs|ms|ns)\n$/);
  assert.match((await run("%time const kept = [1, 2, 3]")).stdout, /^CPU time: /);
  assert.equal((await run("kept.length")).text, "3");
});

test("%%time reports after the cell's own output, also when it fails", async () => {
  const { stdout, text } = await run("%%time\nconsole.log('work')\n7");
  assert.match(stdout, /^work\nCPU time: .*wall time: .*\n$/);
  assert.equal(text, "7");
  const failed = await run("%%time\nthrow new Error('no')");
  assert.match(failed.stdout, /wall time/);
  assert.equal(failed.error?.evalue, "no");
});

test("%timeit prints the mean and deviation of seven runs", async () => {
  const { stdout } = await run("%timeit Math.hypot(3, 4)");
  assert.match(
    stdout,
    /^[\d.]+ (ns|µs) ± [\d.]+ (ns|µs) per loop \(mean ± standard deviation of 7 runs, [\d,]+ loops each\)\n$/,
  );
});

test("%env and %cd change the program's environment and folder", async () => {
  assert.equal((await run("%env HALFTONE_TEST=two words")).stdout, "HALFTONE_TEST=two words\n");
  assert.equal((await run("process.env.HALFTONE_TEST")).text, "'two words'");
  assert.match((await run("%env NOT_SET_AT_ALL")).error?.evalue ?? "", /NOT_SET_AT_ALL is not set/);
  assert.equal((await run("%cd /")).stdout, "/\n");
  assert.equal((await run("process.cwd()")).text, "'/'");
  assert.equal((await run("%cd -")).stdout, `${folder}\n`);
});

test("a shell line's output comes in order with the lines around it", async () => {
  const { stdout, stderr } = await run("console.log('one')\n!echo two; echo oops >&2\nconsole.log('three')");
  assert.equal(stdout, "one\ntwo\nthree\n");
  assert.equal(stderr, "oops\n");
});

test("a shell line runs no .bashrc, as IPython's does not", async () => {
  writeFileSync(path.join(folder, ".bashrc"), "echo from .bashrc\n");
  // Bash reads it where it takes its input for a network connection and is the first shell.
  const set = "const was = { ...process.env }; process.env.HOME = process.cwd(); delete process.env.SHLVL;";
  assert.equal((await run(`${set}\n!echo own`)).stdout, "own\n");
  await run("Object.assign(process.env, was);");
});

test("%%bash fails with its script, and %%writefile writes what follows", async () => {
  assert.equal((await run("%%bash\nfor i in 1 2; do echo $i; done")).stdout, "1\n2\n");
  assert.equal((await run("%%bash\nexit 3")).error?.evalue, "bash ended with status 3");
  assert.match((await run("%%writefile notes.txt\nfirst")).stdout, /^Wrote .*notes\.txt\n$/);
  assert.match((await run("%%writefile -a notes.txt\nsecond\n")).stdout, /^Added to .*notes\.txt\n$/);
  assert.equal(readFileSync(path.join(folder, "notes.txt"), "utf8"), "first\nsecond\n");
});

test("%%html, %%markdown and %help show rich text", async () => {
  const shown = (await run("//| label: x\n%%html\n<b>`bold`</b>")).outputs;
  assert.deepEqual(shown, [{ type: "display", data: { "text/html": "<b>`bold`</b>" }, metadata: {} }]);
  const markdown = (await run("%%markdown\n# Title")).outputs[0];
  assert.ok(markdown?.type === "display" && markdown.data["text/markdown"] === "# Title");
  const help = (await run("%help")).outputs[0];
  assert.ok(help?.type === "display" && /%timeit/.test(String(help.data["text/plain"])));
});

test("%who lists the names that cells declared and no others; %whos adds types and values", async () => {
  await run("let zebra = new Map([[1, 2]]); globalThis.loose = 'x';");
  const { stdout } = await run("%who");
  const names = stdout.trim().split("  ");
  assert.ok(names.includes("zebra") && names.includes("loose"), stdout);
  assert.ok(!names.some((name) => ["console", "comm", "progress"].includes(name) || name.startsWith("_")), stdout);
  assert.match((await run("%whos")).stdout, /^zebra +Map +16 B {2}Map\(1\) \{ 1 => 2 \}$/m);
});

test("%who and %whos list the variables of the given types", async () => {
  await run("let count17 = 17, list17 = [1, 2, 3], text17 = 'abc';");
  assert.match((await run("%who array Map")).stdout, /^(?!.*count17).*list17.*zebra/);
  assert.match((await run("%whos string")).stdout, /^Variable .*\n[\s\S]*^text17 +string +3 B {2}'abc'$/m);
  assert.equal((await run("%who Nothing")).stdout, "no variables of type Nothing\n");
});

test("%whos tells the memory of what a variable holds, each value once", async () => {
  await run(`const floats = new Float32Array(100), twice = { a: floats, b: [floats], self: null as unknown };
    twice.self = twice; const many = Array.from({ length: 30000 }, () => "xx");`);
  const { stdout } = await run("%whos");
  const memory = (name: string) => new RegExp(`^${name} +\\S+ +((?:over )?[\\d.]+ \\w+) `, "m").exec(stdout)?.[1];
  assert.equal(memory("floats"), "400 B");
  // Three properties and an array of one element are eight bytes each.
  assert.equal(memory("twice"), "432 B");
  assert.match(memory("many") ?? "", /^over 2[67]\d\.?\d* K/);
});

test("%timeit awaits what the code returns, and what it awaits", async () => {
  const wait = "const wait = () => new Promise((done) => setTimeout(done, 250));";
  await run(wait);
  for (const code of ["wait()", "await wait()"]) {
    const { stdout } = await run(`%timeit ${code}`);
    assert.match(stdout, /^2\d\d ms ± .* of 7 runs, 1 loop each\)\n$/);
  }
});

test("%memory shows the memory of the process, the heap and the tensors", async () => {
  const { stdout } = await run("%memory");
  assert.match(stdout, /^process +[\d.]+ [MG]iB \(at most [\d.]+ [MG]iB\)$/m);
  assert.match(stdout, /^tensors +none/m);
  await run('import * as tf from "@tensorflow/tfjs"; const held = tf.zeros([1000, 1000])');
  assert.match((await run("%memory")).stdout, /^tensors +[\d.]+ [KM]?i?B in \d+ \(at most [\d.]+ [KM]?i?B\)$/m);
  await run('import { randn, to } from "halftone"; const halves = { w: to(randn([10, 10]), "float16") };');
  assert.match((await run("%whos object")).stdout, /^halves +Object +208 B /m);
  const named = (await run("%who")).stdout.trim().split("  ");
  assert.ok(named.includes("held") && !named.includes("_tfengine"), "a package's own globals are not variables");
});

test("%whos shows an optimizer by its own text", async () => {
  await run(
    'import { adam, parameters, zeros } from "halftone"; const optimizer = adam(parameters({ w: zeros([2, 2]) }));',
  );
  assert.match((await run("%whos")).stdout, /^optimizer +Object .*Adam of 4 parameters in 1 tensor: /m);
});

test("%reset deletes every variable", async () => {
  await run("let gone = 1");
  assert.equal((await run("%reset")).outcome.status, "ok");
  assert.equal((await run("typeof gone")).text, "'undefined'");
  assert.match((await run("let q = 1;\n%reset")).error?.evalue ?? "", /the only line of its cell/);
});

test("a line that parses as TypeScript is not a magic", async () => {
  await run("let a = 17, time = 5, flag = false");
  assert.equal((await run("a\n%time")).text, "2");
  const template = await run("%env B=1\nconst text = `\n%time x\n!ls`; text.length");
  assert.deepEqual([template.stdout, template.text], ["B=1\n", "12"]);
  assert.equal((await run("(!flag)")).text, "true");
  assert.equal((await run("a !=\n18")).text, "true");
});

test("an unknown magic is an error that points at %help", async () => {
  assert.match((await run("%tiem 1")).error?.evalue ?? "", /unknown magic %tiem: %help lists the magics/);
  assert.match((await run("%%ruby\nputs 1")).error?.evalue ?? "", /unknown magic %%ruby/);
});

test("an error below a magic names its own line", async () => {
  const { stdout, error } = await run("%env A=1\n\nnull.x");
  assert.equal(stdout, "A=1\n");
  assert.match(error?.traceback.join("\n") ?? "", /> 3 \| null\.x/);
});

test("an interrupt ends a shell command and its child processes", async () => {
  const running = start("!echo $$; sleep 60 | cat");
  const shell = Number((await running.next("stream")).text);
  session.interrupt();
  assert.equal((await running.ended).error?.ename, "KeyboardInterrupt");
  await until(() => !isAlive(shell), "the shell has ended");
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("%whos, inspection and completion run no code of the values", async () => {
  await run(`const ran: string[] = [];
    const note = (what: string) => { ran.push(what); return what; };
    const odd: any = {
      held: 1, get given() { return note("getter"); }, toString: () => note("toString"), toJSON: () => note("toJSON"),
      [Symbol.toPrimitive]: () => note("toPrimitive"), [Symbol.for("nodejs.util.inspect.custom")]: () => note("inspect.custom"),
      get [Symbol.toStringTag]() { return note("toStringTag"); },
    };
    class Named { static get name() { return note("name"); } static [Symbol.hasInstance]() { note("hasInstance"); return true; } }
    const named = new Named();
    const traps: any = new Proxy({}, { get: (_target, trap) => () => { note(\`trap \${String(trap)}\`); } });
    const proxy: any = new Proxy({ inside: 1 }, traps);
    const failed: any = Object.defineProperty(new Error("x"), "stack", { get: () => note("stack") });
    const heir: any = Object.create(new Proxy({}, { get: (_target, trap) => note(\`inherited \${String(trap)}\`), getPrototypeOf: () => { note("proto"); return null; } }));
    const holds: any = { odd, named, proxy, failed }; const holdsHeir: any = { heir }; const map = new Map<any, any>([[odd, proxy]]);
    Object.defineProperty(globalThis, "lazy", { get: () => note("global"), configurable: true, enumerable: true });`);
  const { stdout } = await run("%whos");
  assert.match(stdout, /^odd +Object +[\d.]+ \w+ +\{ held: 1, given: \[Getter\]/m);
  assert.match(stdout, /^proxy +Proxy +Proxy$/m);
  assert.match(stdout, /^failed +Error +[\d.]+ \w+ +Error: x$/m);
  for (const name of [
    "odd",
    "odd.given",
    "odd.held",
    "named",
    "proxy",
    "proxy.inside",
    "failed",
    "holds",
    "heir",
    "holdsHeir",
    "map",
    "lazy",
  ]) {
    for (const each of session.introspectors) {
      await each.inspect(name, name.length, 1);
      await each.complete(`${name}.`, name.length + 1);
    }
  }
  for (const each of session.introspectors) await each.complete("", 0);
  assert.equal((await run("ran.join()")).text, "''");
});

test("a cell that requests help on a name runs nothing, and shows the help in the pager", async () => {
  await run("const helped = new Map([[1, 2]])");
  const { outcome, outputs } = await run("// what is it\nhelped?");
  assert.equal(outcome.status, "ok");
  assert.deepEqual(outputs, []);
  assert.match(String(outcome.page?.["text/plain"]), /const helped: Map<number, number>/);
  assert.deepEqual((await run("?nothingOfThatName")).outcome.page, {
    "text/plain": "No documentation found for `nothingOfThatName`.",
  });
});

test("a cell nested too deeply is a syntax error, and a sum of thousands of terms runs", async () => {
  const { error } = await run(`${"(".repeat(8000)}1${")".repeat(8000)}`);
  assert.match(`${error?.ename}: ${error?.evalue}`, /^SyntaxError: the code is nested more than 1000 levels deep/);
  assert.equal((await run(`1${" + 1".repeat(9999)}`)).text, "10000");
});

test("%import imports names of halftone and of Node's modules, and prints the line", async () => {
  const ran = await run("%import zeros readFileSync path\n[typeof zeros, typeof readFileSync, typeof path.join]");
  assert.equal(
    ran.stdout,
    'import { zeros } from "halftone"; import { readFileSync } from "node:fs"; import * as path from "node:path"\n',
  );
  assert.equal(ran.text, "[ 'function', 'function', 'function' ]");
  assert.match((await run("%import")).error?.evalue ?? "", /%import needs names/);
  assert.match((await run("%autoreload")).stdout, /loaded again when it has changed/);
});
