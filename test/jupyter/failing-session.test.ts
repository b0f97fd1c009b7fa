import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { InputHistory } from "../../kernel/jupyter/input-history.ts";
import { Kernel } from "../../kernel/jupyter/kernel.ts";
import type { ExecuteOptions } from "../../kernel/session/options.ts";
import type { Session } from "../../kernel/session/session.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { connectTo } from "./client.ts";
import { makeConnection } from "./ports.ts";

/** A session whose next answers are these; one that is an error is a rejection. */
const answers: (Error | undefined)[] = [];
async function answer(): Promise<undefined> {
  const failure = answers.shift();
  if (failure) throw failure;
}
const session = {
  async execute(code: string, { onOutput }: ExecuteOptions) {
    await answer();
    onOutput({ type: "result", data: { "text/plain": code }, metadata: {} });
    return { status: "ok", executionCount: 1, elapsed: 1 };
  },
  complete: answer,
  inspect: answer,
  call: answer,
  interrupt() {},
} as unknown as Session;

const folder = temporaryFolder();
const connection = await makeConnection(folder);
const kernel = await Kernel.start(connection, session, new InputHistory(undefined), () => {});
const stands = Object.assign(new EventEmitter(), {
  exitCode: null,
  signalCode: null,
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  kill: () => stands.emit("exit", 0),
});
const client = await connectTo(connection, stands, folder);
after(() => kernel.close());

test("a session that rejects a cell is an error of that cell, and the next cells run, those that wait too", async () => {
  for (const code of ["1", "2"]) assert.equal(await client.value(code), code);
  answers.push(new RangeError("out of order"));
  const failing = client.execute("3", { stop_on_error: false });
  const waiting = client.execute("4");
  const { reply, contents } = await failing.done("error");
  const { traceback: _, ...told } = reply;
  assert.deepEqual(told, { status: "error", ename: "RangeError", evalue: "out of order", execution_count: 3 });
  assert.equal(contents[0]?.ename, "RangeError");
  assert.equal((await waiting.done("execute_result")).reply.execution_count, 4);
  assert.equal(await client.value("5"), "5");
});

test("a session that rejects a question is an error of that question", async () => {
  const requests: [type: string, content: object][] = [
    ["complete_request", { code: "a" }],
    ["inspect_request", { code: "a" }],
    ["usage_request", {}],
  ];
  for (const [type, content] of requests) {
    answers.push(new Error("no answer"));
    assert.equal((await client.ask(type, { ...content })).evalue, "no answer", type);
  }
  await client.request("comm_open", { comm_id: "c", target_name: "t", data: {} }).done();
  answers.push(new Error("no answer"));
  await client.request("comm_msg", { comm_id: "c", data: {} }).done();
  assert.equal(await client.value("6"), "6");
});
