/** Messages of every kind that a front end might send, right and wrong, from a seed. */
import { createHmac, randomUUID } from "node:crypto";
import type { Json, Message } from "../../kernel/jupyter/messages.ts";
import type { Frame, Wire } from "../../kernel/jupyter/wire.ts";

export interface OddMessage {
  channel: "shell" | "control";
  message: Message;
  frames: Frame[];
  /** Whether it is a message at all: else it is dropped, and logged. */
  isHeard: boolean;
}

export type Random = (below: number) => number;

/** A linear congruential generator (Numerical Recipes), so that a failure can be run again. */
export function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;

const requests: Record<string, Json> = {
  kernel_info_request: {},
  connect_request: {},
  execute_request: { code: "1 + 1", silent: false, store_history: true, user_expressions: {}, allow_stdin: false },
  complete_request: { code: "Math.ma", cursor_pos: 7 },
  inspect_request: { code: "Math.max", cursor_pos: 8, detail_level: 0 },
  is_complete_request: { code: "f(" },
  history_request: { hist_access_type: "tail", n: 3, output: true, raw: true },
  comm_info_request: { target_name: "t" },
  comm_open: { comm_id: "c", target_name: "nobody", data: {} },
  comm_msg: { comm_id: "c", data: { a: 1 } },
  comm_close: { comm_id: "c", data: {} },
  create_subshell_request: {},
  list_subshell_request: {},
  delete_subshell_request: { subshell_id: "none" },
  interrupt_request: {},
  usage_request: {},
};

const unknownTypes = [
  "levitate_request",
  "debug_request",
  "__proto__",
  "constructor_request",
  "toString",
  "",
  "_request",
  "status",
  "\ud83d_request",
  "x".repeat(5000),
];

const codes = [
  "",
  "1 + 1",
  "let a = ;",
  "throw new Error('\\ud83d')",
  "'\ud83d' + '\udc00'",
  "console.log('\\ud800', 1)",
  "%nonsense",
  "%%",
  "?",
  "a?",
  "!",
  "await 0; 5",
  "/* ",
  "`${",
  "\u0000\u2028\ufeff",
  "𝒳😀é".repeat(50),
  "}{)(][",
  "const { [0]: q } = [1]; q",
];

const LONG_TEXT = 1 << 20;

/** A megabyte or more of what may cost more than its length. */
const long = [
  (n: number) => "a".repeat(n),
  (n: number) => "7".repeat(n),
  (n: number) => " ".repeat(n),
  (n: number) => "\n".repeat(n),
  (n: number) => "(".repeat(n),
  (n: number) => "a.".repeat(n / 2),
  (n: number) => "a?.[".repeat(n / 4),
  (n: number) => "'".repeat(n),
  (n: number) => "`${".repeat(n / 3),
  (n: number) => "😀".repeat(n / 2),
  (n: number) => "/*".repeat(n / 2),
  (n: number) => `%%bash${"\n".repeat(n)}x`,
  (n: number) => `${"\n  ".repeat(n / 3)}%types`,
  (n: number) => "let x = 1;\n".repeat(n / 11),
  (n: number) => "%time x\n".repeat(n / 8),
  (n: number) => `f(${"[1, 2], ".repeat(n / 8)}`,
  (n: number) => "\ud83d".repeat(n),
];

const odd: ((random: Random) => unknown)[] = [
  () => null,
  () => undefined,
  () => true,
  () => -1,
  () => 2 ** 53,
  () => 1e308,
  () => 0.5,
  () => "",
  () => "\ud83d",
  () => "\u0000",
  () => [],
  () => [[[]]],
  () => ({}),
  () => ({ toString: 1, __proto__: null, length: -1 }),
  (random) => "é".repeat(random(100_000)),
  (random) => nested(random(2000)),
];

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { value };
  return value;
}

export function oddMessage(random: Random, wire: Wire, key: string): OddMessage {
  const type = random(12) === 0 ? pick(random, unknownTypes) : pick(random, Object.keys(requests));
  const content: Json = { ...requests[type] };
  if ("code" in content) {
    content.code = pick(random, codes);
    if (random(12) === 0 && type !== "execute_request") content.code = pick(random, long)(LONG_TEXT);
    content.cursor_pos = random(3) === 0 ? random(10) : [...String(content.code)].length;
  }
  for (let changes = random(3); changes > 0; changes--) {
    const field = pick(random, [...Object.keys(content), "surplus"]);
    content[field] = pick(random, odd)(random);
  }
  const header: Message["header"] = wire.header(type);
  if (random(6) === 0) {
    const field = pick(random, ["session", "username", "date", "version", "subshell_id", "surplus"]);
    Object.assign(header, { [field]: pick(random, odd)(random) });
  }
  if (random(30) === 0) Object.assign(header, { msg_id: random(2 ** 31) });
  const buffers = random(10) === 0 ? [Buffer.alloc(random(1 << 16), 255), Buffer.alloc(0)] : [];
  const message: Message = { identities: [], header, parent: {}, metadata: {}, content, buffers };
  const shown = { ...message };
  if (random(10) === 0) Object.assign(shown, { parent: pick(random, odd)(random) ?? null });
  if (random(10) === 0) Object.assign(shown, { metadata: pick(random, odd)(random) ?? null });
  if (random(30) === 0) Object.assign(shown, { content: pick(random, odd)(random) ?? null });
  const frames = wire.encode(shown).map((frame) => Buffer.from(frame as string));
  const channel = pick(random, ["shell", "shell", "control"] as const);
  const isHeard = random(8) > 0 || !damage(frames, random, key);
  return { channel, message, frames, isHeard };
}

/** Makes of a message what is none. */
function damage(frames: Buffer[], random: Random, key: string): boolean {
  const sign = (): void => {
    const hmac = createHmac("sha256", key);
    for (const part of frames.slice(2, 6)) hmac.update(part);
    frames[1] = Buffer.from(hmac.digest("hex"));
  };
  const part = 2 + random(4);
  const texts = ["", "{", "nul", "[".repeat(1 + random(50_000)), '{"a":"\xff"}'];
  switch (random(7)) {
    case 0:
      // The signature no longer fits.
      frames[part] = Buffer.concat([frames[part]!, Buffer.from(" ")]);
      return true;
    case 1:
      frames[1] = Buffer.from(pick(random, ["", "0".repeat(64), "é", randomUUID()]));
      return true;
    case 2:
      frames.splice(part, 1);
      return true;
    case 3:
      frames.splice(0, 1);
      return true;
    case 4:
      frames.splice(1);
      return true;
    case 5:
      // Signed, and no JSON.
      frames[part] = Buffer.from(pick(random, texts), "latin1");
      sign();
      return true;
    default: {
      // Signed JSON, but a header that names no type.
      const header = pick(random, [null, [], 5, {}, { msg_type: null }, { msg_type: 5 }, "text"]);
      frames[2] = Buffer.from(JSON.stringify(header));
      sign();
      return true;
    }
  }
}
