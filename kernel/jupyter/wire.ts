/** Messages to ZeroMQ frames and back: identities, delimiter, HMAC, four JSON parts, buffers ("The Wire Protocol"). */
import { createHmac, getHashes, randomUUID, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { wellFormed } from "../protocol/well-formed.ts";
import { type Header, headerSchema, type Json, type Message, PROTOCOL_VERSION } from "./messages.ts";

const DELIMITER = Buffer.from("<IDS|MSG>");
/** As many as jupyter_client's Session remembers. */
const REMEMBERED_SIGNATURES = 1 << 16;

/** Frames that are not a valid message: logged and dropped, without a reply. */
export class MalformedMessage extends Error {
  override name = "MalformedMessage";
}

/** A frame to send. */
export type Frame = Buffer | string;

/** ZeroMQ copies a string, and hands a buffer back to this thread when it is sent, which costs a turn of the event loop. */
const LONGEST_STRING = 1 << 15;

const utf8 = new TextDecoder("utf-8", { fatal: true });

export class Wire {
  readonly session = randomUUID();
  readonly #key: string;
  readonly #hash: string;
  readonly #signatures = new Set<string>();

  /** An empty key disables signatures, as the protocol specifies. */
  constructor(key: string, scheme = "hmac-sha256") {
    this.#key = key;
    this.#hash = scheme.replace(/^hmac-/, "");
    if (!scheme.startsWith("hmac-") || !getHashes().includes(this.#hash)) {
      throw new Error(`signature_scheme must be hmac-<hash of this Node>, such as hmac-sha256, got ${scheme}`);
    }
  }

  header(msgType: string, username: unknown = "kernel"): Header {
    return {
      msg_id: randomUUID(),
      msg_type: msgType,
      session: this.session,
      username: typeof username === "string" ? username : "",
      date: new Date().toISOString(),
      version: PROTOCOL_VERSION,
    };
  }

  encode(message: Message): Frame[] {
    const parts = [message.header, message.parent, message.metadata, message.content].map((part) => {
      const text = wellFormed(JSON.stringify(part));
      return text.length > LONGEST_STRING ? Buffer.from(text) : text;
    });
    return [...message.identities, DELIMITER, this.#sign(parts), ...parts, ...message.buffers];
  }

  /** Throws MalformedMessage, with the reason, on anything but a signed message not seen before. */
  decode(frames: readonly Buffer[]): Message {
    const delimiter = frames.findIndex((frame) => frame.equals(DELIMITER));
    if (delimiter < 0) throw new MalformedMessage("no <IDS|MSG> delimiter among the frames");
    const [signature, ...rest] = frames.slice(delimiter + 1);
    const parts = rest.slice(0, 4);
    if (!signature || parts.length < 4) {
      const found = frames.length - delimiter - 1;
      throw new MalformedMessage(`a signature and 4 parts must follow the delimiter, found ${found} frames`);
    }
    this.#verify(signature, parts);
    const [headerPart, parent, metadata, content] = parts.map(parse);
    const header = v.safeParse(headerSchema, headerPart);
    if (!header.success) throw new MalformedMessage(`header: ${header.issues[0].message}`);
    if (!canBeSent(headerPart)) throw new MalformedMessage("header: nested too deeply to be sent back");
    return {
      identities: frames.slice(0, delimiter) as Buffer[],
      header: header.output,
      // A part that is not an object counts as empty: a request that lacks required content is refused with a reply.
      parent: isObject(parent) ? parent : {},
      metadata: isObject(metadata) ? metadata : {},
      content: isObject(content) ? content : {},
      buffers: rest.slice(4),
    };
  }

  #sign(parts: readonly Frame[]): string {
    if (this.#key === "") return "";
    const hmac = createHmac(this.#hash, this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  #verify(signature: Buffer, parts: readonly Buffer[]): void {
    if (this.#key === "") return;
    const expected = this.#sign(parts);
    const signatureText = signature.toString("latin1");
    if (signatureText === "") throw new MalformedMessage("the message is not signed");
    if (signatureText.length !== expected.length || !timingSafeEqual(signature, Buffer.from(expected))) {
      throw new MalformedMessage("the signature does not match");
    }
    if (this.#signatures.has(signatureText))
      throw new MalformedMessage("the signature was used before: a replayed message");
    this.#signatures.add(signatureText);
    if (this.#signatures.size > REMEMBERED_SIGNATURES) {
      const [oldest] = this.#signatures;
      if (oldest !== undefined) this.#signatures.delete(oldest);
    }
  }
}

function canBeSent(part: unknown): boolean {
  try {
    return JSON.stringify(part) !== "";
  } catch {
    return false;
  }
}

function parse(part: Buffer, index: number): unknown {
  const name = ["header", "parent_header", "metadata", "content"][index];
  try {
    return JSON.parse(utf8.decode(part));
  } catch (error) {
    throw new MalformedMessage(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
