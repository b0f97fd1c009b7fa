/** Publishes outputs, status and comms to every client, in order, and joins many small stream texts. */
import type { Output } from "../protocol/output.ts";
import type { Published } from "./fan-out.ts";
import type { Json, Message } from "./messages.ts";
import type { Frame, Wire } from "./wire.ts";

type Parent = Message["parent"];

/** A first text goes out at once; those that follow within this time go out together. */
const STREAM_PERIOD_MS = 25;
const STREAM_MOST_CHARACTERS = 1 << 18;

/** Messages that a program may send without limit and that may be dropped. Status, results and errors are never dropped. */
const mayBeDropped = new Set(["stream", "display_data", "update_display_data", "comm_msg"]);

export class IoPub {
  readonly #wire: Wire;
  readonly #send: (message: Published) => void;
  #pending: { parent: Parent; name: "stdout" | "stderr"; texts: string[]; length: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastFlush = 0;

  constructor(wire: Wire, send: (message: Published) => void) {
    this.#wire = wire;
    this.#send = send;
  }

  publish(msgType: string, parent: Parent, content: Json, extra: { metadata?: Json; buffers?: Buffer[] } = {}): void {
    this.flush();
    this.#publishNow(msgType, parent, content, extra, msgType);
  }

  status(state: "starting" | "busy" | "idle", parent: Parent = {}): void {
    this.publish("status", parent, { execution_state: state });
  }

  /** Answers a subscription (JEP 65), so that a client knows from when on it misses nothing. */
  welcome(topic: string): void {
    this.flush();
    this.#publishNow("iopub_welcome", {}, { subscription: topic }, {}, topic);
  }

  output(output: Output, parent: Parent, executionCount: number): void {
    switch (output.type) {
      case "stream":
        this.#stream(parent, output.name, output.text);
        break;
      case "display":
        this.publish("display_data", parent, {
          data: output.data,
          metadata: output.metadata,
          transient: output.displayId === undefined ? {} : { display_id: output.displayId },
        });
        break;
      case "update":
        this.publish("update_display_data", parent, {
          data: output.data,
          metadata: output.metadata,
          transient: { display_id: output.displayId },
        });
        break;
      case "clear":
        this.publish("clear_output", parent, { wait: output.wait });
        break;
      case "result":
        this.publish("execute_result", parent, {
          execution_count: executionCount,
          data: output.data,
          metadata: output.metadata,
        });
        break;
      case "error":
        this.publish("error", parent, { ename: output.ename, evalue: output.evalue, traceback: output.traceback });
    }
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    this.#lastFlush = performance.now();
    this.#publishNow("stream", pending.parent, { name: pending.name, text: pending.texts.join("") }, {}, "stream");
  }

  #stream(parent: Parent, name: "stdout" | "stderr", text: string): void {
    if (this.#pending && (this.#pending.parent !== parent || this.#pending.name !== name)) this.flush();
    this.#pending ??= { parent, name, texts: [], length: 0 };
    this.#pending.texts.push(text);
    this.#pending.length += text.length;
    const wait = this.#lastFlush + STREAM_PERIOD_MS - performance.now();
    if (this.#pending.length > STREAM_MOST_CHARACTERS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), Math.max(0, wait));
  }

  #publishNow(
    msgType: string,
    parent: Parent,
    content: Json,
    { metadata = {}, buffers = [] }: { metadata?: Json; buffers?: Buffer[] },
    topic: string,
  ): void {
    const frames = this.#encode(msgType, parent, content, { metadata, buffers }, topic);
    this.#send(mayBeDropped.has(msgType) ? { frames, lost: (bytes) => this.#loss(parent, bytes) } : { frames });
  }

  /** In place of output that a client did not read in time. */
  #loss(parent: Parent, bytes: number): Frame[] {
    const amount = bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
    const text = `\n... ${amount} of output dropped: this front end did not read it in time ...\n`;
    return this.#encode("stream", parent, { name: "stderr", text }, { metadata: {}, buffers: [] }, "stream");
  }

  #encode(
    msgType: string,
    parent: Parent,
    content: Json,
    more: { metadata: Json; buffers: Buffer[] },
    topic: string,
  ): Frame[] {
    return this.#wire.encode({
      identities: [Buffer.from(topic)],
      header: this.#wire.header(msgType),
      parent,
      content,
      ...more,
    });
  }
}
