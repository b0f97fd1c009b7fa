/** Carries comm messages between the front end and the host, and knows which comms are open. */
import type { CommMessage } from "../protocol/output.ts";
import type { Session } from "../session/session.ts";
import type { IoPub } from "./iopub.ts";
import type { Content, Json, Message } from "./messages.ts";

const types = { open: "comm_open", message: "comm_msg", close: "comm_close" } as const;

/** The most messages of one comm that the host has not answered. Later ones wait, and updates of a widget are joined then. */
const MOST_UNREAD = 100;

type Header = Message["header"];

/** A message of the front end that waits. */
interface Waiting {
  message: CommMessage;
  header: Header;
  sent: Promise<void>;
  send: () => void;
}

interface Line {
  unread: number;
  waiting: Waiting[];
}

export class CommBridge {
  readonly #session: Session;
  readonly #iopub: IoPub;
  /** The front end's last message. */
  #lastParent: Message["parent"] = {};
  /** The front end's messages that the host has not answered, by id. */
  readonly #requests = new Map<string, Header>();
  readonly #lines = new Map<string, Line>();
  /** Target by comm id. */
  readonly #open = new Map<string, string>();

  constructor(session: Session, iopub: IoPub) {
    this.#session = session;
    this.#iopub = iopub;
    session.onComm = (message) => this.send(message, this.#lastParent);
  }

  /** `comms` of a comm_info_reply. */
  list(target: string | undefined): Json {
    const found = [...this.#open].filter(([, name]) => target === undefined || name === target);
    return Object.fromEntries(found.map(([id, target_name]) => [id, { target_name }]));
  }

  /** From the host to every client. The parent is the front end's message that it answers, or else `parent`. */
  send({ action, id, target, request, data, metadata, buffers }: CommMessage, parent: Message["parent"]): void {
    if (action === "open") this.#open.set(id, target ?? "");
    if (action === "close") this.#open.delete(id);
    const content = { comm_id: id, data, ...(action === "open" ? { target_name: target } : {}) };
    const answered = request === undefined ? undefined : this.#requests.get(request);
    this.#iopub.publish(types[action], answered ?? parent, content, {
      metadata,
      buffers: buffers.map((each) => Buffer.from(each, "base64")),
    });
  }

  async open({ comm_id, target_name, data }: Content<"comm_open">, message: Message): Promise<undefined> {
    this.#open.set(comm_id, target_name);
    await this.#tell({ action: "open", id: comm_id, target: target_name, data }, message);
  }

  async message({ comm_id, data }: Content<"comm_msg">, message: Message): Promise<undefined> {
    if (this.#open.has(comm_id)) await this.#tell({ action: "message", id: comm_id, data }, message);
    else console.error(`[halftone] dropped a message for the comm ${comm_id}, which is not open`);
  }

  async close({ comm_id, data }: Content<"comm_close">, message: Message): Promise<undefined> {
    this.#open.delete(comm_id);
    await this.#tell({ action: "close", id: comm_id, data }, message);
  }

  /** Done when the host's listeners have returned. A comm message has no reply: what keeps it from the host is logged. */
  async #tell(given: Omit<CommMessage, "metadata" | "buffers">, { metadata, buffers, header }: Message): Promise<void> {
    try {
      const texts = buffers.map((each) => each.toString("base64"));
      await this.#inTurn({ ...given, request: String(header.msg_id), metadata, buffers: texts }, header);
    } catch (error) {
      const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
      const size = bytes > 0 ? ` with ${bytes} bytes` : "";
      console.error(`[halftone] dropped a comm message${size}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /**
   * Sends the message. While the host has not answered `MOST_UNREAD` of its comm, the message waits; if it and the last one that
   * waits are both updates, they are joined.
   */
  #inTurn(message: CommMessage, header: Header): Promise<void> {
    const line = this.#lines.get(message.id) ?? { unread: 0, waiting: [] };
    this.#lines.set(message.id, line);
    if (line.waiting.length === 0 && line.unread < MOST_UNREAD) return this.#call(line, message, header);
    const last = line.waiting.at(-1);
    if (last && areUpdates(last.message, message)) {
      last.message = {
        ...message,
        data: { ...message.data, state: { ...stateOf(last.message), ...stateOf(message) } },
      };
      last.header = header;
      return last.sent;
    }
    let send = (): void => {};
    const ready = new Promise<void>((resolve) => {
      send = resolve;
    });
    const waiting: Waiting = { message, header, send, sent: Promise.resolve() };
    waiting.sent = ready.then(() => this.#call(line, waiting.message, waiting.header));
    line.waiting.push(waiting);
    return waiting.sent;
  }

  async #call(line: Line, message: CommMessage, header: Header): Promise<void> {
    line.unread++;
    this.#lastParent = header;
    this.#requests.set(String(header.msg_id), header);
    try {
      await this.#session.call("comm", message);
    } finally {
      this.#requests.delete(String(header.msg_id));
      line.unread--;
      line.waiting.shift()?.send();
      if (line.unread === 0 && line.waiting.length === 0) this.#lines.delete(message.id);
    }
  }
}

const stateOf = ({ data }: CommMessage): object => data.state as object;

/** Whether the second message of a widget may be joined to the first. */
function areUpdates(...messages: CommMessage[]): boolean {
  return messages.every(
    ({ action, data, buffers }) =>
      action === "message" && data.method === "update" && typeof data.state === "object" && buffers.length === 0,
  );
}
