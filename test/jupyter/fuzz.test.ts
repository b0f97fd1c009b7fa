/**
 * 500 messages by default; `HALFTONE_WIRE_FUZZ=5000 node --test dist/test/jupyter/fuzz.test.js` sends as many, and says how long
 * the kernel took for an answer in between. `HALFTONE_WIRE_SEED` is another seed.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Client, startKernel } from "./client.ts";
import { type Exchange, kindOf } from "./exchange.ts";
import { generator, type OddMessage, oddMessage } from "./odd-messages.ts";

const COUNT = Number(process.env.HALFTONE_WIRE_FUZZ ?? 500);
const SEED = Number(process.env.HALFTONE_WIRE_SEED ?? 20_261_129);
const BATCH = 25;

test(`of ${COUNT} odd messages each request gets one reply between busy and idle, and the kernel goes on`, async (t) => {
  const kernel = await startKernel({ env: { HALFTONE_TYPES: "off" } });
  const random = generator(SEED);
  for (let sent = 0; sent < COUNT; sent += BATCH) {
    const batch = Array.from({ length: BATCH }, () => oddMessage(random, kernel.wire, kernel.connection.key));
    await sendAll(kernel, batch, t);
    assert.equal((await kernel.ask("kernel_info_request")).status, "ok");
    assert.equal(await kernel.value(`${sent} + 1`), String(sent + 1), `after messages ${sent} to ${sent + BATCH}`);
    const dropped = batch.filter(({ isHeard }) => !isHeard).length;
    const log = kernel.takeLog().split("\n");
    assert.equal(log.filter((line) => line.startsWith("[halftone] dropped a message on ")).length, dropped);
    const others = log.filter(
      (line) => line !== "" && !/^\[halftone\] (dropped|refused) a message (on|for the comm) /.test(line),
    );
    assert.deepEqual(others, []);
  }
});

async function sendAll(kernel: Client, batch: OddMessage[], t: TestContext): Promise<void> {
  const started = performance.now();
  const sent = batch.map(({ message, frames, channel }) => kernel.send(message, frames, channel));
  // Replies of another channel come at their own pace.
  const fence = kernel.request("kernel_info_request", {}, { channel: "control" });
  await fence.done();
  if (COUNT > 500) t.diagnostic(`${Math.round(performance.now() - started)} ms until control answered`);
  for (const [index, exchange] of sent.entries()) {
    const odd = batch[index]!;
    if (odd.isHeard) await answered(exchange, odd);
  }
  // Whatever comes twice has come by now.
  await kernel.ask("kernel_info_request");
  for (const [index, exchange] of sent.entries()) {
    const { isHeard } = batch[index]!;
    const again = [...exchange.published.takeAll(), ...exchange.replies.takeAll(), ...exchange.questions.takeAll()];
    assert.deepEqual(again.map(kindOf), [], describe(batch[index]!));
    assert.equal(exchange.published.count > 0, isHeard, describe(batch[index]!));
  }
}

/** Busy first, idle last, one reply; between them what the type may publish. */
async function answered(exchange: Exchange, odd: OddMessage): Promise<void> {
  const type = odd.message.header.msg_type;
  await exchange.published.until("idle");
  if (type.endsWith("_request")) await exchange.replies.peek("a reply");
  const published = exchange.published.takeAll();
  const kinds = published.map(kindOf);
  assert.equal(kinds[0], "busy", describe(odd));
  assert.equal(kinds.at(-1), "idle", `${describe(odd)}: ${JSON.stringify(published.at(-1)?.content)}`);
  assert.equal(kinds.filter((kind) => kind === "idle").length, 1, describe(odd));
  const replies = exchange.replies.takeAll();
  assert.equal(replies.length, type.endsWith("_request") ? 1 : 0, describe(odd));
  for (const { header, content } of replies) {
    assert.match(header.msg_type, /_reply$/, describe(odd));
    const text = JSON.stringify(content);
    assert.ok(!/(?<!\\)(\\\\)*\\ud[89a-f]/.test(text), `not well-formed: ${text.slice(0, 1000)}`);
    if (type === "execute_request") assert.equal(typeof content.execution_count, "number", describe(odd));
    if (content.status === "error") assert.equal(typeof content.ename, "string", describe(odd));
  }
}

function describe({ channel, message: { header, content } }: OddMessage): string {
  return `${channel}: ${JSON.stringify(header).slice(0, 300)} ${JSON.stringify(content).slice(0, 300)}`;
}
