/** Comms: a person's code and a front end's talk to each other under a target's name, both ways. */
import { randomUUID } from "node:crypto";
import type { CommMessage } from "../session/output.ts";
import { answerCalls } from "./calls.ts";
import { currentCell, type HostCell, within } from "./cells.ts";
import { sendEvent } from "./outbox.ts";
import { defineProperty, Table } from "./primordials.ts";

export type CommData = Record<string, unknown>;

export interface CommOptions {
  metadata?: CommData;
  buffers?: Uint8Array[];
}

export interface Received {
  data: CommData;
  metadata: CommData;
  buffers: Uint8Array[];
}

type Listener = (message: Received) => void;

/** One open line to the front end. What its listeners print appears in the cell that opened it or registered its target. */
export class Comm {
  readonly id: string;
  readonly target: string;
  closed = false;
  readonly #cell: HostCell | undefined;
  readonly #messages: Listener[] = [];
  readonly #closes: Listener[] = [];

  constructor(target: string, id: string, cell: HostCell | undefined) {
    this.target = target;
    this.id = id;
    this.#cell = cell;
    open.set(id, this);
  }

  send(data: CommData, options: CommOptions = {}): void {
    if (this.closed) throw new Error(`the comm to ${this.target} is closed: open a new one`);
    this.post("message", data, options);
  }

  close(data: CommData = {}, options: CommOptions = {}): void {
    if (this.closed) return;
    this.post("close", data, options);
    this.end();
  }

  onMessage(listener: Listener): this {
    this.#messages[this.#messages.length] = listener;
    return this;
  }

  onClose(listener: Listener): this {
    this.#closes[this.#closes.length] = listener;
    return this;
  }

  /** @internal */
  post(action: CommMessage["action"], data: CommData, { metadata = {}, buffers = [] }: CommOptions): void {
    const message: CommMessage = {
      action,
      id: this.id,
      ...(action === "open" ? { target: this.target } : {}),
      data,
      metadata,
      buffers: buffers.map((each) => Buffer.from(each.buffer, each.byteOffset, each.byteLength).toString("base64")),
    };
    // Of no cell, it answers what the front end sent.
    sendEvent({ type: "comm", cell: this.#cell?.id ?? 0, message });
  }

  /** @internal */
  receive(action: "message" | "close", message: Received): void {
    const listeners = action === "message" ? this.#messages : this.#closes;
    if (action === "close") this.end();
    const tell = (): void => {
      for (let index = 0; index < listeners.length; index++) listeners[index]!(message);
    };
    if (this.#cell) within(this.#cell, tell);
    else tell();
  }

  /** @internal */
  end(): void {
    this.closed = true;
    open.delete(this.id);
  }
}

type Opener = (comm: Comm, opened: Received) => void;

const open: Table<string, Comm> = new Table();
const targets: Table<string, { opener: Opener; cell: HostCell | undefined }> = new Table();

/** The global `comm` of a cell. */
export const comm = Object.freeze({
  /** Calls `opener` whenever the front end opens a comm to `target`. */
  register(target: string, opener: Opener): void {
    targets.set(target, { opener, cell: currentCell() });
  },

  unregister(target: string): void {
    targets.delete(target);
  },

  /** Opens a comm to what the front end registered under `target`. */
  open(target: string, data: CommData = {}, options: CommOptions & { id?: string } = {}): Comm {
    const opened = new Comm(target, options.id ?? randomUUID(), currentCell());
    opened.post("open", data, options);
    return opened;
  },
});

export function installComms(): void {
  defineProperty(globalThis, "comm", { value: comm, configurable: true, enumerable: false, writable: true });
  answerCalls("comm", ({ action, id, target = "", data, metadata, buffers }: CommMessage) => {
    const message: Received = { data, metadata, buffers: buffers.map((text) => Buffer.from(text, "base64")) };
    if (action !== "open") return open.get(id)?.receive(action, message);
    const registered = targets.get(target);
    const opened = new Comm(target, id, registered?.cell);
    if (!registered) return opened.close();
    const tell = (): void => registered.opener(opened, message);
    if (registered.cell) within(registered.cell, tell);
    else tell();
  });
}
