import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Dealer } from "zeromq";
import { endpoint } from "../../kernel/jupyter/connection.ts";
import { Wire } from "../../kernel/jupyter/wire.ts";
import { connectTo, startKernel } from "./client.ts";
import { Exchange } from "./exchange.ts";

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

test("an encrypted kernel hears nothing from a client without the key", async () => {
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

test("two clients each get their own replies, and both hear all outputs", async () => {
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
  const kernel = await startKernel();
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

test("an unknown request and one with bad content are answered with an error", async () => {
  const kernel = await startKernel();
  const unknown = await kernel.ask("levitate_request");
  assert.equal(unknown.ename, "UnknownMessage");
  await kernel.logged(/levitate/);
  const invalid = kernel.request("execute_request", { code: 7 });
  await invalid.take("busy", "idle");
  assert.match(String((await invalid.reply()).content.evalue), /execute_request: code: /);
  await kernel.logged(/execute_request: code/);
});

test("a 10 MB cell and a 50 MB output come through", async () => {
  const kernel = await startKernel();
  assert.equal(await kernel.value(`"${"é".repeat(5e6)}".length`), "5000000");
  const [stdout] = await kernel.run("console.log('x'.repeat(50_000_000))", "stdout");
  assert.equal(String(stdout?.text).length, 50_000_001);
});

test("a client that vanishes in the middle of a cell leaves the kernel to others", async () => {
  const kernel = await startKernel();
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
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-connection-"));
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

test("the kernel ends when the front end that started it is gone", async () => {
  const kernel = await startKernel();
  await kernel.ask("kernel_info_request");
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-orphan-"));
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
