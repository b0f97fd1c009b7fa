import assert from "node:assert/strict";
import { request } from "node:http";
import type { Socket } from "node:net";

interface Message {
  id?: number;
  method?: string;
  params: Record<string, unknown>;
  result?: Record<string, unknown>;
}

export interface Paused {
  callFrames: { callFrameId: string; location: { scriptId: string; lineNumber: number; columnNumber: number } }[];
  hitBreakpoints?: string[];
}

/** A client of the Chrome DevTools Protocol, with as much of a WebSocket as it needs (RFC 6455). */
export class Inspector {
  readonly events: Message[] = [];
  readonly #socket: Socket;
  readonly #open = new Map<number, (message: Message) => void>();
  readonly #waiting = new Map<string, (params: never) => void>();
  #bytes = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.#read(chunk));
  }

  /** The result of a request. */
  async ask(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#open.size + 1;
    const answer = new Promise<Message>((resolve) => this.#open.set(id, resolve));
    const text = Buffer.from(JSON.stringify({ id, method, params }));
    const head = [0x81, 0x80 | 126, text.length >> 8, text.length & 0xff];
    // A mask of zeros leaves the text as it is.
    this.#socket.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), text]));
    const message = await answer;
    assert.ok(message.result, JSON.stringify(message));
    return message.result;
  }

  /** The next event of this kind. */
  event(method: "Debugger.paused"): Promise<Paused> {
    return new Promise((resolve) => this.#waiting.set(method, resolve as (params: never) => void));
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const bytes = this.#bytes;
    const short = bytes.length < 2 ? 0 : bytes[1]! & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < head) return;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < head + length) return;
    const text = bytes.subarray(head, head + length).toString();
    this.#bytes = bytes.subarray(head + length);
    if (text.startsWith("{")) this.#receive(JSON.parse(text) as Message);
    this.#read(Buffer.alloc(0));
  }

  #receive(message: Message): void {
    const { id, method = "", params } = message;
    if (id !== undefined) {
      this.#open.get(id)?.(message);
      return;
    }
    this.events.push(message);
    this.#waiting.get(method)?.(params as never);
    this.#waiting.delete(method);
  }
}

export async function connect(url: URL): Promise<Inspector> {
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": Buffer.from("halftone inspect").toString("base64"),
  };
  const socket = await new Promise<Socket>((resolve) => {
    request(`http://${url.host}${url.pathname}`, { headers })
      .on("upgrade", (_, upgraded) => resolve(upgraded as Socket))
      .end();
  });
  return new Inspector(socket);
}
