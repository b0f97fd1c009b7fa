/** Carries comm messages between the front end and the host, and knows which comms are open. */
import type { CommMessage } from "../protocol/output.ts";
import type { Session } from "../session/session.ts";
import type { IoPub } from "./iopub.ts";
import type { Content, Json, Message } from "./messages.ts";

const types = { open: "comm_open", message: "comm_msg", close: "comm_close" } as const;

export class CommBridge {
  readonly #session: Session;
  readonly #iopub: IoPub;
  /** The front end's message that the host answers now. */
  #lastParent: Message["parent"] = {};
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

  /** From the host to every client. */
  send({ action, id, target, data, metadata, buffers }: CommMessage, parent: Message["parent"]): void {
    if (action === "open") this.#open.set(id, target ?? "");
    if (action === "close") this.#open.delete(id);
    const content = { comm_id: id, data, ...(action === "open" ? { target_name: target } : {}) };
    this.#iopub.publish(types[action], parent, content, {
      metadata,
      buffers: buffers.map((each) => Buffer.from(each, "base64")),
    });
  }

  async open({ comm_id, target_name, data }: Content<"comm_open">, message: Message): Promise<undefined> {
    this.#open.set(comm_id, target_name);
    await this.#tell({ action: "open", id: comm_id, target: target_name, data }, message);
  }

  async message({ comm_id, data }: Content<"comm_msg">, message: Message): Promise<undefined> {
    await this.#tell({ action: "message", id: comm_id, data }, message);
  }

  async close({ comm_id, data }: Content<"comm_close">, message: Message): Promise<undefined> {
    this.#open.delete(comm_id);
    await this.#tell({ action: "close", id: comm_id, data }, message);
  }

  /** Done when the host's listeners have returned. A comm message has no reply: what keeps it from the host is logged. */
  async #tell(given: Omit<CommMessage, "metadata" | "buffers">, { metadata, buffers, header }: Message): Promise<void> {
    const message: CommMessage = { ...given, metadata, buffers: buffers.map((each) => each.toString("base64")) };
    this.#lastParent = header;
    await this.#session.call("comm", message).catch((error: Error) => {
      console.error(`[halftone] dropped a comm message: ${error.message}`);
    });
  }
}
