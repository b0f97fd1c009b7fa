import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Subscriber } from "zeromq";
import { FanOut } from "../../kernel/jupyter/fan-out.ts";

const OUTPUT = Buffer.alloc(50_000, "x");

/** A publisher that holds at most 1 MB of output for each of its subscribers, and those. */
async function publish(...subscribers: Subscriber[]): Promise<FanOut> {
  const fanOut = new FanOut({}, 1 << 20);
  await fanOut.socket.bind("tcp://127.0.0.1:0");
  const all = new Promise<void>((resolve) => {
    let count = 0;
    void fanOut.listen(() => {
      if (++count === subscribers.length) resolve();
    });
  });
  for (const subscriber of subscribers) {
    subscriber.connect(fanOut.socket.lastEndpoint!);
    subscriber.subscribe("");
    after(() => subscriber.close());
  }
  after(() => fanOut.close());
  await all;
  return fanOut;
}

/** Bodies up to "end": how much output, which of the rest in what order, and how much was told as lost. */
async function readAll(subscriber: Subscriber): Promise<{ output: number; statuses: string[]; lost: number }> {
  const read = { output: 0, statuses: [] as string[], lost: 0 };
  for await (const [topic, body] of subscriber) {
    const type = topic!.toString().split("\u0000").at(-1);
    if (type === "stream") read.output += body!.length;
    else if (type === "lost") read.lost += Number(body!.toString());
    else if (body!.toString() === "end") return read;
    else read.statuses.push(body!.toString());
  }
  return read;
}

test("a subscriber that reads nothing loses output, and hears how much; it loses nothing else, and others lose nothing", async () => {
  const stuck = new Subscriber({ receiveHighWaterMark: 1, linger: 0 });
  const quick = new Subscriber({ receiveHighWaterMark: 0, linger: 0 });
  const fanOut = await publish(stuck, quick);
  let heard = 0;
  const read = (async () => {
    const found = { output: 0, statuses: 0, lost: 0 };
    for await (const [topic, body] of quick) {
      if (topic!.toString().endsWith("stream")) found.output += body!.length;
      else if (topic!.toString().endsWith("lost")) found.lost++;
      else found.statuses++;
      heard++;
      if (body!.toString() === "end") return found;
    }
    return found;
  })();
  const statuses: string[] = [];
  for (let at = 0; at < 1000; at++) {
    fanOut.send({ frames: ["stream", OUTPUT], lost: (bytes) => ["lost", String(bytes)] });
    if (at % 10 !== 0) continue;
    statuses.push(`idle ${at}`);
    fanOut.send({ frames: ["status", `idle ${at}`] });
    // The quick one's pace.
    while (heard < at + 1 + statuses.length) await new Promise((resolve) => setImmediate(resolve));
  }
  fanOut.send({ frames: ["status", "end"] });
  assert.deepEqual(await read, { output: 1000 * OUTPUT.length, statuses: statuses.length + 1, lost: 0 });
  const late = await readAll(stuck);
  assert.deepEqual(late.statuses, statuses);
  assert.ok(late.lost > 20e6, `${late.lost} bytes lost of 50 MB`);
  // A stream message's topic counts with it.
  assert.equal(late.output + late.lost, 1000 * OUTPUT.length + (late.lost / (OUTPUT.length + 6)) * 6);
});

test("a subscriber to one message type receives only that type", async () => {
  const subscriber = new Subscriber({ linger: 0 });
  const fanOut = new FanOut({});
  await fanOut.socket.bind("tcp://127.0.0.1:0");
  const subscribed = new Promise<Buffer>((resolve) => void fanOut.listen(resolve));
  subscriber.connect(fanOut.socket.lastEndpoint!);
  subscriber.subscribe("status");
  assert.equal(String(await subscribed), "status");
  fanOut.send({ frames: ["stream", "no"] });
  fanOut.send({ frames: ["status", "yes"] });
  const [topic, body] = await subscriber.receive();
  assert.match(String(topic), /^status/);
  assert.equal(String(body), "yes");
  subscriber.close();
  await fanOut.close();
});
