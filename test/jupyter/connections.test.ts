import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Dealer } from "zeromq";
import { endpoint } from "../../kernel/jupyter/connection.ts";
import { Wire } from "../../kernel/jupyter/wire.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type Client, connectTo, startKernel } from "./client.ts";
import { Exchange } from "./exchange.ts";

/** Of the tests that need no kernel of their own. */
const kernel = await startKernel();
const kernelMain = fileURLToPath(new URL("../../kernel/main.js", import.meta.url));

for (const [what, options] of [
  ["over ipc", { transport: "ipc" }],
  ["over encrypted tcp", { encrypted: true }],
] as const) {
  test(`a kernel ${what} runs a cell, beats and welcomes`, async () => {
    const kernel = await startKernel(options);
    assert.equal(await kernel.value("6 * 7"), "42");
    assert.equal(await kernel.beat(), "ping");
  });
}

test("an encrypted kernel receives nothing from a client without the key", async () => {
  const kernel = await startKernel({ encrypted: true });
  const { curve_publickey: _public, curve_secretkey: _secret, ...plain } = kernel.connection;
  const stranger = new Dealer({ linger: 0 });
  stranger.connect(endpoint(plain, "control"));
  const wire = new Wire(plain.key);
  const header = wire.header("shutdown_request");
  await stranger.send(wire.encode({ identities: [], header, parent: {}, metadata: {}, content: {}, buffers: [] }));
  assert.equal(await kernel.value("1"), "1");
  assert.equal(kernel.kernel.exitCode, null);
  stranger.close();
});

test("two clients each get their own replies, and both receive all outputs", async () => {
  const first = await startKernel();
  const second = await connectTo(first.connection, first.kernel, first.folder, "second");
  await first.about().take("iopub_welcome");
  const asked = first.execute("console.log('to all'); 'first'");
  const other = second.execute("'second'");
  const [, one] = (await asked.done("stdout", "execute_result")).contents;
  const [two] = (await other.done("execute_result")).contents;
  assert.deepEqual(one?.data, { "text/plain": "'first'" });
  assert.deepEqual(two?.data, { "text/plain": "'second'" });
  const heard = ["busy", "execute_input", "stdout", "execute_result", "idle"];
  const [, , stdout] = await second.about(asked).take(...heard);
  assert.equal(stdout?.content.text, "to all\n");
  await first.about(other).take("busy", "execute_input", "execute_result", "idle");
});

test("malformed, unsigned and replayed messages are logged and cost nothing", async () => {
  const { wire } = kernel;
  const content = {
    code: "var runs = Number(Reflect.get(globalThis, 'n') ?? 0) + 1; Reflect.set(globalThis, 'n', runs);",
  };
  const header = wire.header("execute_request");
  const message = { identities: [], header, parent: {}, metadata: {}, content, buffers: [] };
  const signed = wire.encode(message);
  const cell = kernel.send(message, signed);
  await cell.done();
  await kernel.shell.send(signed);
  await kernel.shell.send(signed.with(2, Buffer.from("f".repeat(64))));
  await kernel.shell.send(["no", "delimiter"]);
  await kernel.shell.send([Buffer.from([255, 254])]);
  for (const reason of [/replayed/, /signature does not match/, /no <IDS\|MSG> delimiter/]) {
    await kernel.logged(reason);
  }
  await kernel.logged(/no <IDS\|MSG> delimiter/);
  assert.equal(await kernel.value("runs"), "1");
});

test("every refusal of a cell has an execution count, as the messaging page asks of each execute_reply", async () => {
  assert.equal(await kernel.value("1"), "1");
  const count = (await kernel.execute("2;").done()).reply.execution_count;
  const noCode = kernel.request("execute_request", {});
  const noSubshell = kernel.request("execute_request", { code: "1" }, { subshell: "nowhere" });
  const failing = kernel.execute("throw 1");
  const waiting = kernel.execute("'never'");
  for (const refused of [noCode, noSubshell]) {
    await refused.take("busy", "idle");
    assert.equal((await refused.reply()).content.execution_count, count);
  }
  await kernel.logged(/execute_request: code/);
  await kernel.logged(/no such subshell: nowhere/);
  assert.equal((await failing.done("error")).reply.execution_count, Number(count) + 1);
  await waiting.take("busy", "idle");
  assert.equal((await waiting.reply()).content.execution_count, Number(count) + 1);
});

test("null and odd fields take the defaults that ipykernel gives them, and come back as they were", async () => {
  const nulls = { silent: null, store_history: null, user_expressions: null, allow_stdin: null, stop_on_error: null };
  const content = { code: "6 * 7", ...nulls };
  const headers = [
    { username: null, session: null, date: null, version: null, subshell_id: null },
    { username: 5, session: ["s"], date: {}, version: 5 },
    {},
  ];
  for (const [index, fields] of headers.entries()) {
    const header = { ...fields, msg_id: `odd-${index}`, msg_type: "execute_request" };
    for (const rest of [null, {}, [], "x"]) {
      header.msg_id += "+";
      const message = { identities: [], header, parent: {}, metadata: {}, content, buffers: [] };
      const odd = { ...message, parent: rest as never, metadata: rest as never };
      const cell = kernel.send(message, kernel.wire.encode(odd));
      const { published } = await cell.done("execute_result");
      assert.deepEqual(published.at(-1)?.parent, header);
    }
  }
  const { matches, cursor_start } = await kernel.ask("complete_request", { code: "Math.ma", cursor_pos: null });
  assert.deepEqual({ matches, cursor_start }, { matches: ["max"], cursor_start: 5 });
  assert.equal((await kernel.ask("inspect_request", { code: "Math.max", detail_level: "much" })).status, "ok");
  const tail = { hist_access_type: "tail", n: null, output: null, raw: null };
  assert.equal((await kernel.ask("history_request", tail)).status, "ok");
  assert.deepEqual((await kernel.ask("history_request", { hist_access_type: null })).history, []);
  assert.deepEqual((await kernel.ask("comm_info_request", { target_name: 5 })).comms, {});
});

test("an unknown request and one with bad content are answered with an error", async () => {
  const unknown = await kernel.ask("levitate_request");
  assert.equal(unknown.ename, "UnknownMessage");
  await kernel.logged(/levitate/);
  const invalid = kernel.request("execute_request", { code: 7 });
  await invalid.take("busy", "idle");
  assert.match(String((await invalid.reply()).content.evalue), /execute_request: code: /);
  await kernel.logged(/execute_request: code/);
});

test("a 10 MB cell and a 50 MB output come through", async () => {
  assert.equal(await kernel.value(`"${"é".repeat(5e6)}".length`), "5000000");
  const [stdout] = await kernel.run("console.log('x'.repeat(50_000_000))", "stdout");
  assert.equal(String(stdout?.text).length, 50_000_001);
});

test("a client that vanishes in the middle of a cell leaves the kernel to others", async () => {
  const gone = new Dealer({ linger: 0 });
  gone.connect(endpoint(kernel.connection, "shell"));
  const { wire } = kernel;
  const header = wire.header("execute_request");
  const content = { code: "for (let i = 0; i < 1000; i++) { console.log(i); await 0 } var finished = true" };
  await gone.send(wire.encode({ identities: [], header, parent: {}, metadata: {}, content, buffers: [] }));
  const cell = kernel.about(new Exchange({ identities: [], header, parent: {}, metadata: {}, content, buffers: [] }));
  await cell.take("busy", "execute_input");
  gone.close();
  const [stdout] = await cell.take("stdout", "idle");
  assert.match(String(stdout?.content.text), /^0\n1\n.*\n999\n$/s);
  assert.equal(await kernel.value("finished"), "true");
});

test("a connection file that is missing, unreadable or wrong is said in a line, without a stack", () => {
  const folder = temporaryFolder();
  const broken = path.join(folder, "broken.json");
  writeFileSync(broken, "{");
  const wrong = path.join(folder, "wrong.json");
  writeFileSync(wrong, '{"shell_port": "many"}');
  const folderItself = path.join(folder, "folder.json");
  writeFileSync(folderItself, "");
  chmodSync(folderItself, 0);
  for (const [file, said] of [
    [path.join(folder, "missing.json"), /Cannot read the connection file .*missing\.json/],
    [folder, /Cannot read the connection file/],
    [broken, /broken\.json is not JSON/],
    [wrong, /wrong\.json is not valid:[\s\S]*shell_port/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [kernelMain, file], { encoding: "utf8", timeout: 20_000 });
    assert.equal(status, 1, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});

test("a port that is taken ends the kernel at once, with one line that names it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const folder = temporaryFolder();
  const free = { shell_port: 0, iopub_port: 0, stdin_port: 0, control_port: 0, hb_port: 0 };
  const tries = Object.keys(free).map(async (taken) => {
    const file = path.join(folder, `${taken}.json`);
    writeFileSync(file, JSON.stringify({ ...free, [taken]: port, ip: "127.0.0.1", transport: "tcp", key: "k" }));
    const child = spawn(process.execPath, [kernelMain, file], { env: { ...process.env, HALFTONE_HISTORY: "off" } });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const [code] = await once(child, "close");
    assert.equal(code, 1, stderr);
    const channel = taken.replace("_port", "");
    assert.match(
      stderr,
      new RegExp(`^\\[halftone\\] cannot listen on tcp://127.0.0.1:${port} for the ${channel} channel.*\\n$`),
    );
  });
  await Promise.all(tries);
  server.close();
});

for (const [how, stop] of [
  ["a request", (client) => client.request("shutdown_request", {}, { channel: "control" })],
  ["SIGTERM", (client) => void client.kernel.kill("SIGTERM")],
] as [string, (client: Client) => Exchange | undefined][]) {
  test(`shutdown by ${how} while a cell prints ends the cell for its client, and leaves no word in the log`, async () => {
    const own = await startKernel();
    const cell = own.execute("for (let i = 0; ; i++) console.log(i)");
    await cell.starts();
    await cell.published.peek("stdout");
    await stop(own)?.done("shutdown_reply");
    await cell.several("stdout", "busy");
    assert.equal((await cell.ends("error")).reply.status, "error");
    assert.equal(await own.exited, 0);
  });
}

test("SIGINT to the kernel's process group, as a terminal's Ctrl-C, interrupts the cell and nothing else", async () => {
  const own = await startKernel({ detached: true });
  await own.run("let kept = 'kept'");
  const ctrlC = () => process.kill(-own.kernel.pid!, "SIGINT");
  const cell = own.execute("console.log('on'); for (;;);");
  await cell.starts();
  await cell.prints("on\n");
  ctrlC();
  assert.equal((await cell.ends("error")).reply.ename, "KeyboardInterrupt");
  // And while nothing runs. Node reads the signal in a later turn than it comes in, which each of these questions gives it.
  ctrlC();
  for (let turn = 0; turn < 20; turn++) await own.ask("kernel_info_request");
  assert.equal(await own.value("kept"), "'kept'");
});

/** Lets a test keep the kernel's main thread for ever. */
const busyOnSignal = "--import=data:text/javascript,process.on('SIGUSR2',()=>{for(;;);})";

for (const [how, stop] of [
  ["on SIGTERM", (own) => own.kernel.kill("SIGTERM")],
  ["when its front end is gone", (_, frontEnd) => frontEnd.kill("SIGKILL")],
] as [string, (own: Client, frontEnd: ChildProcess) => void][])
  test(`a kernel whose main thread is busy ends ${how}, and so do its host and what cells have started`, async () => {
    const frontEnd = spawn("sleep", ["600"], { stdio: "ignore" });
    const own = await startKernel({ env: { NODE_OPTIONS: busyOnSignal, JPY_PARENT_PID: String(frontEnd.pid) } });
    const started = await own.value("[process.pid, require('child_process').spawn('sleep', ['600']).pid].join()");
    own.kernel.kill("SIGUSR2");
    try {
      stop(own, frontEnd);
      await own.exited;
      for (const pid of String(started).slice(1, -1).split(",").map(Number)) await ended(pid);
    } finally {
      frontEnd.kill("SIGKILL");
    }
  });

async function ended(pid: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (isAlive(pid)) {
    assert.ok(Date.now() < deadline, `process ${pid} outlived its kernel`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("the kernel ends when the front end that started it is gone", async () => {
  const kernel = await startKernel();
  await kernel.ask("kernel_info_request");
  const folder = temporaryFolder();
  const file = path.join(folder, "connection.json");
  const ports = { shell_port: 0, iopub_port: 0, stdin_port: 0, control_port: 0, hb_port: 0 };
  writeFileSync(file, JSON.stringify({ ...ports, ip: "127.0.0.1", transport: "tcp", key: "k" }));
  const script = `const { spawn } = require("node:child_process");
const kernel = spawn(process.execPath, [${JSON.stringify(kernelMain)}, ${JSON.stringify(file)}], {
  stdio: "ignore", env: { ...process.env, JPY_PARENT_PID: String(process.pid), HALFTONE_HISTORY: "off" } });
console.log(kernel.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = await new Promise<number>((resolve) => parent.stdout.once("data", (text) => resolve(Number(text))));
  parent.kill("SIGKILL");
  const deadline = Date.now() + 20_000;
  while (isAlive(pid)) {
    assert.ok(Date.now() < deadline, "the kernel outlived its parent");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
