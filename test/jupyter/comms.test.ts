import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../kernel/jupyter/messages.ts";
import { startKernel } from "./client.ts";

const kernel = await startKernel();
const comm = (type: string, comm_id: string) =>
  kernel.published.filter(({ header, content }) => header.msg_type === type && content.comm_id === comm_id);

test("a target registered in a cell answers what the front end opens, with buffers both ways", async () => {
  const cell = kernel.execute(`comm.register("echo", (line, opened) => {
    console.log("opened with", opened.data.n);
    line.onMessage(({ data, buffers }) => line.send({ back: data }, { buffers: buffers.map((b) => b.map((x) => x + 1)) }));
    line.onClose(() => console.log("closed"));
  })`);
  await cell.done;
  await kernel.request("comm_open", { comm_id: "c1", target_name: "echo", data: { n: 5 } }).done;
  const open = await kernel.ask("comm_info_request", { target_name: "echo" });
  assert.deepEqual(open.comms, { c1: { target_name: "echo" } });
  await kernel.request("comm_msg", { comm_id: "c1", data: { hello: 1 } }, { buffers: [Buffer.from([1, 2, 255])] }).done;
  const [answer] = comm("comm_msg", "c1");
  assert.deepEqual(answer?.content.data, { back: { hello: 1 } });
  assert.deepEqual([...answer!.buffers[0]!], [2, 3, 0]);
  await kernel.request("comm_close", { comm_id: "c1", data: {} }).done;
  assert.deepEqual((await kernel.ask("comm_info_request", {})).comms, {});
  const printed = kernel.published.filter(
    ({ header, parent }) => header.msg_type === "stream" && parent.msg_id === cell.id,
  );
  assert.equal(printed.map(({ content }) => content.text).join(""), "opened with 5\nclosed\n");
});

test("a comm that a cell opens reaches the front end with its data, and hears what that sends", async () => {
  const cell = await kernel.execute(`const line = comm.open("viewer", { a: 1 }, { metadata: { version: "1" } });
    let heard: unknown; line.onMessage(({ data }) => { heard = data }); line.send({ b: 2 }); line.id`).done;
  const opened = cell.content("comm_open");
  assert.equal(opened?.target_name, "viewer");
  assert.deepEqual(opened?.data, { a: 1 });
  const id = String(opened?.comm_id);
  assert.deepEqual(comm("comm_msg", id)[0]?.content.data, { b: 2 });
  await kernel.request("comm_msg", { comm_id: id, data: { c: 3 } }).done;
  const { content } = await kernel.execute("line.close(); heard").done;
  assert.deepEqual(content("execute_result")?.data, { "text/plain": "{ c: 3 }" });
  assert.equal(comm("comm_close", id).length, 1);
});

test("a comm to a target that nobody registered is closed", async () => {
  await kernel.request("comm_open", { comm_id: "lost", target_name: "nobody", data: {} }).done;
  assert.equal(comm("comm_close", "lost").length, 1);
});

test("without widgets a progress bar is text that changes in place", async () => {
  const code =
    "for (const item of progress([1, 2, 3], { label: 'Work' })) await new Promise((go) => setTimeout(go, 250));";
  const { published } = await kernel.execute(code).done;
  const [first] = published.filter(({ header }) => header.msg_type === "display_data");
  const updates = published.filter(({ header }) => header.msg_type === "update_display_data");
  assert.match(textOf(first), /^Work: {3}0 % ·+ 0\/3/);
  assert.match(textOf(updates.at(-1)), /^Work: 100 % █+ 3\/3/);
  for (const { content } of updates) assert.deepEqual(content.transient, first?.content.transient);
});

test("a front end that has widgets gets a bar of its own, moved by comm messages, and its state again when it asks", async () => {
  await kernel.request("comm_open", { comm_id: "control", target_name: "jupyter.widget.control", data: {} }).done;
  const code =
    "for await (const item of progress([1, 2], { label: '<Epochs>' })) await new Promise((go) => setTimeout(go, 80));";
  const { published } = await kernel.execute(code).done;
  const models = published.filter(({ header }) => header.msg_type === "comm_open");
  const named = (name: string) =>
    models.find(({ content }) => (content.data as { state: { _model_name: string } }).state._model_name === name);
  assert.equal(models[0]?.metadata.version, "2.1.0");
  const bar = named("FloatProgressModel")?.content.comm_id;
  const display = published.find(({ header }) => header.msg_type === "display_data")?.content.data as Record<
    string,
    object
  >;
  assert.deepEqual(display["application/vnd.jupyter.widget-view+json"], {
    version_major: 2,
    version_minor: 0,
    model_id: named("HBoxModel")?.content.comm_id,
  });
  const moves = published
    .filter(({ header, content }) => header.msg_type === "comm_msg" && content.comm_id === bar)
    .map(({ content }) => (content.data as { state: { value?: number; bar_style?: string } }).state);
  assert.equal(moves.findLast(({ value }) => value !== undefined)?.value, 2);
  assert.equal(moves.at(-1)?.bar_style, "success");
  await kernel.request("comm_msg", { comm_id: "control", data: { method: "request_states" } }).done;
  const answer = comm("comm_msg", "control").at(-1)?.content.data as {
    states: Record<string, { state: { value: number } }>;
  };
  assert.equal(answer.states[String(bar)]?.state.value, 2);
});

function textOf(message: Message | undefined): string {
  return (message?.content.data as Record<string, string> | undefined)?.["text/plain"] ?? "";
}
