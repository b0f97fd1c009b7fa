import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Message } from "../../kernel/jupyter/messages.ts";
import { startKernel } from "./client.ts";

const kernel = await startKernel();

test("a target registered in a cell answers what the front end opens, with buffers both ways", async () => {
  const cell = kernel.execute(`comm.register("echo", (line, opened) => {
    console.log("opened with", opened.data.n);
    line.onMessage(({ data, buffers }) => line.send({ back: data }, { buffers: buffers.map((b) => b.map((x) => x + 1)) }));
    line.onClose(() => console.log("closed"));
  })`);
  await cell.done();
  await kernel.request("comm_open", { comm_id: "c1", target_name: "echo", data: { n: 5 } }).done();
  await cell.prints("opened with 5\n");
  const open = await kernel.ask("comm_info_request", { target_name: "echo" });
  assert.deepEqual(open.comms, { c1: { target_name: "echo" } });
  const buffers = [Buffer.from([1, 2, 255])];
  const asked = kernel.request("comm_msg", { comm_id: "c1", data: { hello: 1 } }, { buffers });
  const [answer] = (await asked.done("comm_msg")).published;
  assert.deepEqual(answer?.content, { comm_id: "c1", data: { back: { hello: 1 } } });
  assert.deepEqual([...answer!.buffers[0]!], [2, 3, 0]);
  await kernel.request("comm_close", { comm_id: "c1", data: {} }).done();
  await cell.prints("closed\n");
  assert.deepEqual((await kernel.ask("comm_info_request", {})).comms, {});
});

test("a comm that a cell opens reaches the front end with its data, and hears what that sends", async () => {
  const cell = kernel.execute(`const line = comm.open("viewer", { a: 1 }, { metadata: { version: "1" } });
    let heard: unknown; line.onMessage(({ data }) => { heard = data }); line.send({ b: 2 }); line.id`);
  const [opened, sent, result] = (await cell.done("comm_open", "comm_msg", "execute_result")).published;
  const id = opened?.content.comm_id;
  assert.deepEqual(opened?.content, { comm_id: id, target_name: "viewer", data: { a: 1 } });
  assert.equal(opened.metadata.version, "1");
  assert.deepEqual(sent?.content, { comm_id: id, data: { b: 2 } });
  assert.deepEqual(result?.content.data, { "text/plain": `'${id}'` });
  await kernel.request("comm_msg", { comm_id: id, data: { c: 3 } }).done();
  assert.equal(await kernel.value("line.close(); heard"), "{ c: 3 }");
  const [closed] = await cell.take("comm_close");
  assert.equal(closed?.content.comm_id, id);
});

test("an error in a listener, an opener or a close handler is shown in the cell that registered it, and the others are called", async () => {
  const opener = kernel.execute(`comm.register("fails", () => { throw new Error("cannot open") })
    comm.register("listens", (line) => {
      line.onMessage(() => { throw new Error("cannot read") });
      line.onMessage(() => console.log("heard"));
      line.onClose(async () => { throw new Error("cannot close") });
    })`);
  await opener.done();
  // ipykernel's comm manager closes such a comm too.
  const failing = kernel.request("comm_open", { comm_id: "f", target_name: "fails", data: {} });
  const [given] = (await failing.done("comm_close")).published;
  const [first] = await opener.take("error");
  assert.equal(given?.content.comm_id, "f");
  assert.equal(first?.content.evalue, "cannot open");
  await kernel.request("comm_open", { comm_id: "l", target_name: "listens", data: {} }).done();
  await kernel.request("comm_msg", { comm_id: "l", data: {} }).done();
  const [second] = await opener.take("error");
  assert.match((second!.content.traceback as string[]).join("\n"), /Error: cannot read[\s\S]*cell \[\d+\]:3/);
  await opener.prints("heard\n");
  await kernel.request("comm_close", { comm_id: "l", data: {} }).done();
  const [third] = await opener.take("error");
  assert.equal(third?.content.evalue, "cannot close");
});

test("an interrupt ends a listener that never returns: its message is answered, its cell reports it, and the comm still works", async () => {
  const opener = kernel.execute(`comm.register("loops", (line) => {
      line.onMessage(({ data }) => { console.log("on"); while (data.forever); });
      line.onMessage(() => console.log("next"));
    })`);
  await opener.done();
  await kernel.request("comm_open", { comm_id: "e", target_name: "loops", data: {} }).done();
  const endless = kernel.request("comm_msg", { comm_id: "e", data: { forever: true } });
  await opener.prints("on\n");
  await kernel.ask("interrupt_request", {}, "control");
  await endless.done();
  const [stopped] = await opener.take("error");
  assert.equal(stopped?.content.evalue, "a listener of this cell was interrupted");
  await opener.prints("next\n");
  await kernel.request("comm_msg", { comm_id: "e", data: {} }).done();
  await opener.prints("on\nnext\n");
  await kernel.request("comm_close", { comm_id: "e", data: {} }).done();
});

test("data that JSON cannot represent is an error where it is sent, and numbers arrive as the front end reads them", async () => {
  const cell = kernel.execute(`const odd = comm.open("viewer", { y: new Float32Array([1, NaN]) });
    const refused: string[] = [];
    for (const send of [() => odd.send({ f() {} }), () => odd.send([1] as any), () => odd.send({}, { buffers: [5 as any] })])
      try { send() } catch (error) { refused.push((error as Error).message) }
    try { comm.open("viewer", { n: 1n }) } catch (error) { refused.push((error as Error).message) }
    for (const name of [() => comm.open(5 as any), () => comm.open("viewer", {}, { id: {} as any }), () => odd.onClose(5 as any)])
      try { name() } catch (error) { refused.push((error as Error).message) }
    odd.close(); refused`);
  const [opened, closed, result] = (await cell.done("comm_open", "comm_close", "execute_result")).published;
  assert.deepEqual(opened?.content.data, { y: [1, null] });
  assert.equal(closed?.content.comm_id, opened?.content.comm_id);
  const refused = (result!.content.data as Record<string, string>)["text/plain"]!;
  assert.match(refused, /the data of a comm\.f is a function/);
  assert.match(refused, /the data of a comm must be an object/);
  assert.match(refused, /the buffers of a comm must be typed arrays/);
  assert.match(refused, /the data of a comm\.n is the BigInt 1/);
  assert.match(refused, /the target of a comm must be text, got number/);
  assert.match(refused, /the id of a comm must be text, got object/);
  assert.match(refused, /a comm's listener must be a function, got number/);
  assert.deepEqual((await kernel.ask("comm_info_request", {})).comms, {});
});

test("a comm to a target that nobody registered is closed", async () => {
  const open = kernel.request("comm_open", { comm_id: "lost", target_name: "nobody", data: {} });
  const [closed] = (await open.done("comm_close")).contents;
  assert.equal(closed?.comm_id, "lost");
});

test("messages to a busy cell wait up to 64 MB; further ones are dropped, and the cell can be interrupted", async () => {
  await kernel.run("void comm.open('large', {}, { id: 'none' });", "comm_open");
  const cell = kernel.execute("for (;;);");
  await cell.starts();
  const buffers = [Buffer.alloc(12 << 20)];
  const sent = Array.from({ length: 8 }, () => kernel.request("comm_msg", { comm_id: "none", data: {} }, { buffers }));
  await sent.at(-1)!.done();
  await kernel.ask("interrupt_request", {}, "control");
  for (const each of sent.slice(0, -1)) await each.done();
  // 12 MB are 16 as base64: four of the eight fit.
  for (let lost = 0; lost < 4; lost++)
    await kernel.logged(
      /dropped a comm message with 12582912 bytes: the program is busy: it has \d+ bytes of messages still to read/,
    );
  await cell.several("busy");
  assert.equal((await cell.ends("error")).reply.ename, "KeyboardInterrupt");
});

test("without widgets a progress bar is text that changes in place", async () => {
  const cell = kernel.execute("for (const item of progress([1, 2, 3], { label: 'Work' })) await null;");
  await cell.starts();
  const [first] = await cell.take("display_data");
  const updates = await cell.several("update_display_data");
  await cell.ends();
  assert.match(textOf(first), /^Work: {3}0 % ·+ 0\/3/);
  assert.match(textOf(updates.at(-1)), /^Work: 100 % █+ 3\/3/);
  for (const { content } of updates) assert.deepEqual(content.transient, first?.content.transient);
});

test("a front end with widgets gets a progress widget, updated by comm messages, and its state again on request", async () => {
  await kernel.request("comm_open", { comm_id: "control", target_name: "jupyter.widget.control", data: {} }).done();
  const code = "for await (const item of progress([1, 2], { label: '<Epochs>' })) await null;";
  const cell = kernel.execute(code);
  await cell.starts();
  const published = await cell.several("comm_open", "display_data", "comm_msg", "update_display_data");
  await cell.ends();
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
  const request = kernel.request("comm_msg", { comm_id: "control", data: { method: "request_states" } });
  const [{ content }] = (await request.done("comm_msg")).published as [Message];
  const answer = content.data as {
    states: Record<string, { state: { value: number } }>;
  };
  assert.equal(answer.states[String(bar)]?.state.value, 2);
});

function textOf(message: Message | undefined): string {
  return (message?.content.data as Record<string, string> | undefined)?.["text/plain"] ?? "";
}

test("an answer names the message that it answers as its parent, whatever cell opened the comm", async () => {
  const cell = kernel.execute(
    `const answering = comm.open("answers"); answering.onMessage(({ data }) => answering.send({ got: data.n })); answering.id`,
  );
  const [opened] = (await cell.done("comm_open", "execute_result")).published;
  const comm_id = opened?.content.comm_id;
  const asked = [1, 2, 3].map((n) => kernel.request("comm_msg", { comm_id, data: { n } }));
  for (const [index, each] of asked.entries()) {
    const [answer] = (await each.done("comm_msg")).published;
    assert.deepEqual(answer?.content.data, { got: index + 1 });
  }
});

test("a message for a comm that is not open is logged", async () => {
  await kernel.request("comm_msg", { comm_id: "nowhere", data: {} }).done();
  await kernel.logged(/dropped a message for the comm nowhere, which is not open/);
});

test("a thousand updates a second are all handled; while a cell computes they are joined, and the last one holds", async () => {
  const cell = kernel.execute(`import { IntSlider } from "halftone/widgets"; const many = new IntSlider({ max: 1e9 });
    let heard = 0; let last = 0; many.observe("value", ({ value }) => { heard++; last = value; }); many.id`);
  const { published } = await cell.done("comm_open", "comm_open", "comm_open", "execute_result");
  const id = published[2]?.content.comm_id;
  const change = (value: number) =>
    kernel.request("comm_msg", { comm_id: id, data: { method: "update", state: { value }, buffer_paths: [] } });
  for (let sent = 0; sent < 2000; sent += 50) {
    const some = Array.from({ length: 50 }, (_, index) => change(sent + index + 1));
    for (const [index, each] of some.entries()) {
      const [echo] = (await each.done("comm_msg")).published;
      assert.deepEqual(echo?.content.data, {
        method: "echo_update",
        state: { value: sent + index + 1 },
        buffer_paths: [],
      });
    }
  }
  assert.equal(await kernel.value("[heard, last]"), "[ 2000, 2000 ]");
  const allSent = path.join(kernel.folder, "all-sent");
  const busy = kernel.execute(
    `import { existsSync } from "node:fs"; heard = 0; console.log("on"); while (!existsSync(${JSON.stringify(allSent)}));`,
  );
  await busy.published.until("stdout");
  const waiting = Array.from({ length: 2000 }, (_, index) => change(index + 10_000));
  await kernel.ask("kernel_info_request", {}, "shell");
  writeFileSync(allSent, "");
  for (const each of waiting) await each.published.until("idle");
  await busy.published.until("idle");
  kernel.forget();
  const [count, value] = JSON.parse(String(await kernel.value("[heard, last]")));
  assert.equal(value, 11_999);
  assert.ok(count <= 200, `${count} of 2000 were handled one by one`);
});

test("a loop that sets a widget sends few messages, and the last value arrives before the cell's end", async () => {
  const cell = kernel.execute(
    "const counted = new IntSlider({ max: 1e9 }); for (let value = 1; value <= 100_000; value++) counted.value = value;",
  );
  await cell.published.until("idle");
  await cell.replies.until("execute_reply");
  const sent = cell.published.takeAll().filter(({ header }) => header.msg_type === "comm_msg");
  assert.deepEqual(sent.at(-1)?.content.data, { method: "update", state: { value: 100_000 }, buffer_paths: [] });
  assert.ok(sent.length < 2000, `${sent.length} messages`);
  kernel.forget();
});
