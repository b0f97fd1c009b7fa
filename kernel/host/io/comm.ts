/** Comms: messages both ways between user code and front end code, under a target name. */
import { randomUUID } from "node:crypto";
import type { CommMessage } from "../../protocol/output.ts";
import { callLate } from "../errors/late.ts";
import { defineProperty, Table } from "../primordials.ts";
import { base64, encodeObject } from "../render/mime-bundle.ts";
import { currentCell, type HostCell } from "../run/cells.ts";
import { answerCalls } from "./calls.ts";
import { sendEvent } from "./output-buffer.ts";

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
/** A listener with the cell that registered it, in which its output and errors appear. */
interface Registered {
  listener: Listener;
  cell: HostCell | undefined;
}

/** An open comm to the front end. A listener's output appears in the cell that registered it. */
export class Comm {
  readonly id: string;
  readonly target: string;
  closed = false;
  readonly #cell: HostCell | undefined;
  readonly #messages: Registered[] = [];
  readonly #closes: Registered[] = [];

  constructor(target: string, id: string, cell: HostCell | undefined) {
    this.target = target;
    this.id = id;
    this.#cell = cell;
    open.set(id, this);
  }

  /** The key of the cell that opened it. @internal */
  get cellKey(): string | undefined {
    return this.#cell?.key;
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
    requireListener(listener);
    this.#messages[this.#messages.length] = { listener, cell: currentCell() };
    return this;
  }

  onClose(listener: Listener): this {
    requireListener(listener);
    this.#closes[this.#closes.length] = { listener, cell: currentCell() };
    return this;
  }

  /** @internal */
  post(action: CommMessage["action"], data: CommData, { metadata = {}, buffers = [] }: CommOptions): void {
    const message: CommMessage = {
      action,
      id: this.id,
      ...(action === "open" ? { target: this.target } : {}),
      ...(handled === undefined ? {} : { request: handled }),
      data: encodeObject(data, "the data of a comm"),
      metadata: encodeObject(metadata, "the metadata of a comm"),
      buffers: buffers.map(bufferAsText),
    };
    // Outside any cell, the message answers one from the front end.
    sendEvent({ type: "comm", cell: this.#cell?.id ?? 0, message });
  }

  /** @internal */
  receive(action: "message" | "close", message: Received): void {
    const listeners = action === "message" ? this.#messages : this.#closes;
    if (action === "close") this.end();
    for (let index = 0; index < listeners.length; index++) {
      const { listener, cell } = listeners[index]!;
      callLate(cell, () => listener(message));
    }
  }

  /** @internal */
  end(): void {
    this.closed = true;
    open.delete(this.id);
  }
}

/** The front end's message whose listeners run now. */
let handled: string | undefined;

type Opener = (comm: Comm, opened: Received) => void;

const open: Table<string, Comm> = new Table();
const targets: Table<string, { opener: Opener; cell: HostCell | undefined }> = new Table();
/** Targets of the host itself. The front end's message is answered when the promise has settled. */
const own: Table<string, (comm: Comm, opened: Received) => Promise<void>> = new Table();

export function registerOwn(target: string, opener: (comm: Comm, opened: Received) => Promise<void>): void {
  own.set(target, opener);
}

/** The global `comm` of a cell. */
export const comm = Object.freeze({
  /** Calls `opener` whenever the front end opens a comm to `target`. */
  register(target: string, opener: Opener): void {
    requireText(target, "the target of a comm");
    if (typeof opener !== "function") throw new TypeError(`comm.register needs a function, got ${typeof opener}`);
    targets.set(target, { opener, cell: currentCell() });
  },

  unregister(target: string): void {
    targets.delete(target);
  },

  /** The open comm with this id. */
  find(id: string): Comm | undefined {
    return open.get(id);
  },

  /** Opens a comm to the target that the front end registered under this name. */
  open(target: string, data: CommData = {}, options: CommOptions & { id?: string } = {}): Comm {
    const { id = randomUUID() } = options;
    requireText(target, "the target of a comm");
    requireText(id, "the id of a comm");
    const opened = new Comm(target, id, currentCell());
    try {
      opened.post("open", data, options);
    } catch (error) {
      opened.end();
      throw error;
    }
    return opened;
  },
});

export function installComms(): void {
  defineProperty(globalThis, "comm", { value: comm, configurable: true, enumerable: false, writable: true });
  answerCalls("comm", (message: CommMessage) => {
    handled = message.request;
    try {
      return receive(message);
    } finally {
      handled = undefined;
    }
  });
}

function receive({ action, id, target = "", data, metadata, buffers }: CommMessage): unknown {
  const message: Received = { data, metadata, buffers: buffers.map((text) => Buffer.from(text, "base64")) };
  if (action !== "open") return open.get(id)?.receive(action, message);
  const registered = targets.get(target);
  const opened = new Comm(target, id, registered?.cell);
  const ownOpener = own.get(target);
  if (!registered && ownOpener) return ownOpener(opened, message);
  if (!registered) return opened.close();
  // As ipykernel does: the front end then knows that the target is not registered.
  if (!callLate(registered.cell, () => registered.opener(opened, message))) opened.close();
  return undefined;
}

function bufferAsText(buffer: Uint8Array): string {
  if (ArrayBuffer.isView(buffer)) return base64(buffer);
  throw new TypeError("the buffers of a comm must be typed arrays, such as new Uint8Array(...)");
}

/** Checks a name, because front ends and Python's clients reject a message whose name is not a string. */
function requireText(name: unknown, what: string): void {
  if (typeof name !== "string") throw new TypeError(`${what} must be text, got ${typeof name}`);
}

function requireListener(listener: unknown): void {
  if (typeof listener !== "function")
    throw new TypeError(`a comm's listener must be a function, got ${typeof listener}`);
}
