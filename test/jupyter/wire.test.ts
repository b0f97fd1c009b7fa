import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import type { Message } from "../../kernel/jupyter/messages.ts";
import { MalformedMessage, Wire } from "../../kernel/jupyter/wire.ts";

const key = "a0436f6c-1916-498b-8eb9-e81ab9368e84";

function message(wire: Wire, content = { code: "1 + 1" }): Message {
  return {
    identities: [Buffer.from("client"), Buffer.from([0, 255])],
    header: wire.header("execute_request"),
    parent: {},
    metadata: { tags: ["a"] },
    content,
    buffers: [Buffer.from([1, 2, 3])],
  };
}

/** As the other side gets it. */
function sentBy(wire: Wire, message: Message): Buffer[] {
  return wire.encode(message).map((frame) => Buffer.from(frame as string));
}

test("a message survives encoding and decoding, with identities and buffers", () => {
  const sent = message(new Wire(key));
  assert.deepEqual(new Wire(key).decode(sentBy(new Wire(key), sent)), sent);
});

test("a lone surrogate is sent as U+FFFD anywhere in a message, and nothing else is changed", () => {
  const texts = [
    "\ud83d",
    "\udc00\ud83d",
    "a\ud83d\\",
    "\\\ud83d",
    "\\\\\udfff\ud800\ud800b",
    "\u{1f600}\ud83d\u{1f600}",
    "\\ud83d \\\\ud83d \\uDC00",
    '"\\"\ud83d"',
    "\u0000\n",
  ];
  const content = { code: "", ...Object.fromEntries(texts.map((text) => [text, { [text]: [text] }])) };
  const wire = new Wire(key);
  const sent = JSON.parse(sentBy(wire, message(wire, content)).at(-2)!.toString()) as object;
  const well = (text: string) => (text as unknown as { toWellFormed(): string }).toWellFormed();
  const expected = Object.fromEntries(texts.map((text) => [well(text), { [well(text)]: [well(text)] }]));
  assert.deepEqual(sent, { code: "", ...expected });
});

test("the signature is the HMAC-SHA256 of the four parts, in hexadecimal", () => {
  const wire = new Wire(key);
  const frames = sentBy(wire, message(wire));
  const expected = createHmac("sha256", key)
    .update(Buffer.concat(frames.slice(4, 8)))
    .digest("hex");
  assert.equal(frames[3]?.toString(), expected);
});

test("an unsigned message and one signed with another key are refused", () => {
  const wire = new Wire(key);
  assert.throws(() => wire.decode(sentBy(new Wire(""), message(wire))), /not signed/);
  assert.throws(() => wire.decode(sentBy(new Wire("other"), message(wire))), /signature does not match/);
});

test("a signed message whose content was changed is refused", () => {
  const wire = new Wire(key);
  const frames = sentBy(wire, message(wire));
  frames[7] = Buffer.from(JSON.stringify({ code: "process.exit()" }));
  assert.throws(() => wire.decode(frames), MalformedMessage);
});

test("a replayed message is refused", () => {
  const wire = new Wire(key);
  const frames = sentBy(new Wire(key), message(wire));
  wire.decode(frames);
  assert.throws(() => wire.decode(frames), /replayed/);
});

test("with an empty key messages are not signed", () => {
  const wire = new Wire("");
  const frames = sentBy(wire, message(wire));
  assert.equal(frames[3]?.length, 0);
  assert.equal(wire.decode(frames).content.code, "1 + 1");
});

test("a parent, metadata or content that is not an object counts as empty, and any header with a type is accepted", () => {
  const wire = new Wire("");
  const frames = sentBy(wire, message(wire));
  for (const part of ["null", "[1]", "5", '"text"']) {
    const changed = [5, 6, 7].reduce((all, at) => all.with(at, Buffer.from(part)), frames);
    const { parent, metadata, content } = wire.decode(changed);
    assert.deepEqual([parent, metadata, content], [{}, {}, {}]);
  }
  const header = { msg_type: "kernel_info_request", msg_id: null, username: null, session: 5, more: [1] };
  assert.deepEqual(wire.decode(frames.with(4, Buffer.from(JSON.stringify(header)))).header, header);
});

test("invalid UTF-8, missing parts and a header without a type have different errors", () => {
  const wire = new Wire("");
  const frames = sentBy(wire, message(wire));
  const withContent = (content: Buffer): Buffer[] => frames.with(7, content);
  assert.throws(() => wire.decode(withContent(Buffer.from([0x7b, 0xff, 0x7d]))), /content: .*not valid/);
  assert.throws(() => wire.decode(frames.slice(0, 6)), /found 3 frames/);
  assert.throws(() => wire.decode(frames.slice(4)), /no <IDS\|MSG> delimiter/);
  assert.throws(() => wire.decode(frames.with(4, Buffer.from("{}"))), /header: /);
});

test("20,000 randomly changed messages are each parsed or rejected as MalformedMessage", () => {
  const random = generator(20_261_124);
  const wire = new Wire("");
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const frames = sentBy(wire, message(wire));
    for (let change = 1 + random(4); change > 0; change--) mutate(frames, random);
    try {
      assert.equal(typeof wire.decode(frames).header.msg_type, "string");
    } catch (error) {
      assert.ok(error instanceof MalformedMessage, `${error}`);
      refused++;
    }
  }
  assert.ok(refused > 2000, `only ${refused} refused: the changes are too mild`);
});

function mutate(frames: Buffer[], random: (below: number) => number): void {
  const at = random(frames.length);
  const frame = frames[at];
  switch (random(6)) {
    case 0:
      frames.splice(at, 1);
      break;
    case 1:
      frames.splice(at, 0, Buffer.from(Array.from({ length: random(20) }, () => random(256))));
      break;
    case 2:
      if (frame && frame.length > 0) frame[random(frame.length)] = random(256);
      break;
    case 3:
      if (frame) frames[at] = frame.subarray(0, random(frame.length + 1));
      break;
    case 4:
      frames[at] = Buffer.from("[".repeat(random(5000)));
      break;
    default:
      frames[at] = Buffer.from('{"__proto__":{"msg_type":1},"msg_id":null}');
  }
}

/** A linear congruential generator (Numerical Recipes), so that a failure can be run again. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
