/** The front door: requests in from the channels, each to what answers it, replies and outputs out. */
import { randomUUID } from "node:crypto";
import * as v from "valibot";
import type { Session } from "../session/session.ts";
import { Channels, type RequestChannel } from "./channels.ts";
import { CommBridge } from "./comms.ts";
import { completeness } from "./completeness.ts";
import type { Connection } from "./connection.ts";
import { Executor } from "./execute.ts";
import type { History } from "./history.ts";
import { kernelInfo } from "./info.ts";
import { IoPub } from "./iopub.ts";
import { Lane } from "./lane.ts";
import {
  type Content,
  type Header,
  isRequestType,
  type Json,
  type Message,
  type RequestType,
  requests,
} from "./messages.ts";
import { toCodePoints, toUtf16 } from "./positions.ts";
import { Stdin } from "./stdin.ts";
import { Usage } from "./usage.ts";
import { MalformedMessage, Wire } from "./wire.ts";

const TENSOR_PATIENCE_MS = 200;

/** What answers a request; what it returns is the reply's content. Messages that want no reply return nothing. */
type Handler<T extends RequestType> = (
  content: Content<T>,
  message: Message,
) => Promise<Json | undefined> | Json | undefined;
type Handlers = { [T in Exclude<RequestType, "execute_request">]: Handler<T> };

export class Kernel {
  readonly #wire: Wire;
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #history: History;
  readonly #iopub: IoPub;
  readonly #stdin: Stdin;
  readonly #comms: CommBridge;
  readonly #executor: Executor;
  readonly #usage = new Usage();
  #tensors: Json | null = null;
  readonly #main = new Lane();
  readonly #subshells = new Map<string, Lane>();
  readonly #onShutdown: () => unknown;
  #channels!: Channels;

  private constructor(connection: Connection, session: Session, history: History, onShutdown: () => unknown) {
    this.#connection = connection;
    this.#session = session;
    this.#history = history;
    this.#onShutdown = onShutdown;
    this.#wire = new Wire(connection.key, connection.signature_scheme);
    this.#iopub = new IoPub(this.#wire, (frames) => this.#channels.send("iopub", frames));
    this.#stdin = new Stdin((type, content, request) => this.#reply("stdin", type, content as Json, request));
    this.#comms = new CommBridge(session, this.#iopub);
    this.#executor = new Executor(session, this.#iopub, this.#stdin, this.#comms, history);
  }

  /** Binds the channels and answers from then on. `onShutdown` is called once a client asked for the end. */
  static async start(
    connection: Connection,
    session: Session,
    history: History,
    onShutdown: () => unknown,
  ): Promise<Kernel> {
    const kernel = new Kernel(connection, session, history, onShutdown);
    kernel.#channels = await Channels.bind(connection, {
      onFrames: (channel, frames) => kernel.#receive(channel, frames),
      onSubscribe: (topic) => kernel.#iopub.welcome(topic.toString("utf8")),
    });
    kernel.#iopub.status("starting");
    return kernel;
  }

  /** Sends what is still to be sent, and unbinds. */
  async close(): Promise<void> {
    this.#iopub.flush();
    await this.#channels.close();
  }

  #receive(channel: RequestChannel, frames: Buffer[]): void {
    let message: Message;
    try {
      message = this.#wire.decode(frames);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      console.error(`[halftone] dropped a message on ${channel}: ${error.message}`);
      return;
    }
    if (channel === "stdin") {
      if (message.header.msg_type === "input_reply") this.#stdin.receive(message);
      return;
    }
    void this.#dispatch(channel, message);
  }

  async #dispatch(channel: RequestChannel, message: Message): Promise<void> {
    const type = message.header.msg_type;
    if (!isRequestType(type)) return this.#refuse(channel, message, "UnknownMessage", `no such request: ${type}`);
    const parsed = v.safeParse(requests[type] as (typeof requests)["execute_request"], message.content);
    if (!parsed.success) {
      const [issue] = parsed.issues;
      const reason = `${type}: ${v.getDotPath(issue) ?? "content"}: ${issue.message}`;
      return this.#refuse(channel, message, "InvalidRequest", reason);
    }
    if (type === "execute_request") {
      return this.#execute(channel, message, parsed.output as Content<"execute_request">);
    }
    this.#iopub.status("busy", message.header);
    const handle = this.#handlers[type] as Handler<RequestType>;
    let content: Json | undefined;
    try {
      content = await handle(parsed.output as never, message);
    } catch (error) {
      content = failure(
        error instanceof Error ? error.name : "Error",
        error instanceof Error ? error.message : `${error}`,
      );
    }
    if (content) this.#reply(channel, replyType(type), content, message);
    this.#iopub.status("idle", message.header);
    // A front end shows the state that it heard last: tell it again that a cell runs.
    const running = this.#executor.running;
    if (running) this.#iopub.status("busy", running.header);
    if (type === "shutdown_request") this.#onShutdown();
  }

  #execute(channel: RequestChannel, message: Message, content: Content<"execute_request">): void {
    const id = message.header.subshell_id ?? undefined;
    const lane = id === undefined ? this.#main : this.#subshells.get(id);
    if (!lane) {
      this.#refuse(channel, message, "UnknownSubshell", `no such subshell: ${id}`);
      return;
    }
    lane.push({
      run: async () => {
        this.#iopub.status("busy", message.header);
        const started = new Date().toISOString();
        const reply = await this.#executor.execute(content, message, id);
        this.#iopub.flush();
        this.#reply(channel, "execute_reply", reply, message, { started });
        this.#iopub.status("idle", message.header);
        return reply.status === "ok" || !content.stop_on_error ? "ok" : "failed";
      },
      abort: async () => {
        const why = "not run, as a cell before it failed; run it again";
        this.#refuse(channel, message, "Aborted", why, { execution_count: this.#executor.count });
      },
    });
  }

  readonly #handlers: Handlers = {
    kernel_info_request: () => kernelInfo(),
    connect_request: () => {
      const { shell_port, iopub_port, stdin_port, control_port, hb_port } = this.#connection;
      return { status: "ok", shell_port, iopub_port, stdin_port, control_port, hb_port };
    },
    is_complete_request: ({ code }) => ({ ...completeness(code) }),
    complete_request: async ({ code, cursor_pos }) => {
      const cursor = cursor_pos === undefined ? code.length : toUtf16(code, cursor_pos);
      const { start, end, items } = await this.#session.complete(code, cursor);
      return {
        status: "ok",
        matches: items.map(({ text }) => text),
        cursor_start: toCodePoints(code, start),
        cursor_end: toCodePoints(code, end),
        metadata: {
          _jupyter_types_experimental: items.map(({ text, kind, signature, documentation }) => ({
            start: toCodePoints(code, start),
            end: toCodePoints(code, end),
            text,
            type: kind,
            signature: signature ?? "",
            ...(documentation === undefined ? {} : { documentation }),
          })),
        },
      };
    },
    inspect_request: async ({ code, cursor_pos, detail_level }) => {
      const cursor = cursor_pos === undefined ? code.length : toUtf16(code, cursor_pos);
      const data = await this.#session.inspect(code, cursor, detail_level);
      return { status: "ok", found: data !== undefined, data: data ?? {}, metadata: {} };
    },
    history_request: (content) => ({ status: "ok", history: this.#history.answer(content) }),
    comm_info_request: ({ target_name }) => ({ status: "ok", comms: this.#comms.list(target_name ?? undefined) }),
    comm_open: (content, message) => this.#comms.open(content, message),
    comm_msg: (content, message) => this.#comms.message(content, message),
    comm_close: (content, message) => this.#comms.close(content, message),
    interrupt_request: () => {
      this.#session.interrupt();
      return { status: "ok" };
    },
    shutdown_request: ({ restart }, message) => {
      const content = { status: "ok", restart };
      this.#iopub.publish("shutdown_reply", message.header, content);
      return content;
    },
    create_subshell_request: () => {
      const subshell_id = randomUUID();
      this.#subshells.set(subshell_id, new Lane());
      return { status: "ok", subshell_id };
    },
    delete_subshell_request: ({ subshell_id }) => {
      if (!this.#subshells.delete(subshell_id)) throw new Error(`no such subshell: ${subshell_id}`);
      return { status: "ok" };
    },
    list_subshell_request: () => ({ status: "ok", subshell_id: [...this.#subshells.keys()] }),
    usage_request: async () => {
      // A busy host does not answer: what it said last is still about right.
      this.#tensors = (await this.#session.call<Json>("tensorMemory", {}, TENSOR_PATIENCE_MS)) ?? this.#tensors;
      return { ...this.#usage.measure(), native_tensors: this.#tensors };
    },
  };

  /** Stops what runs, as the interrupt message does: for clients that send a signal. */
  interrupt(): void {
    this.#session.interrupt();
  }

  #refuse(channel: RequestChannel, message: Message, ename: string, evalue: string, more: Json = {}): void {
    if (ename !== "Aborted") console.error(`[halftone] refused a message on ${channel}: ${evalue}`);
    this.#iopub.status("busy", message.header);
    if (message.header.msg_type.endsWith("_request")) {
      this.#reply(channel, replyType(message.header.msg_type), { ...failure(ename, evalue), ...more }, message);
    }
    this.#iopub.status("idle", message.header);
  }

  #reply(channel: RequestChannel, msgType: string, content: Json, to: Message, metadata: Json = {}): Header {
    const header = this.#wire.header(msgType, to.header.username);
    const { identities } = to;
    this.#channels.send(
      channel,
      this.#wire.encode({ identities, header, parent: to.header, metadata, content, buffers: [] }),
    );
    return header;
  }
}

function replyType(requestType: string): string {
  return requestType.replace(/_request$/, "_reply");
}

function failure(ename: string, evalue: string): Json {
  return { status: "error", ename, evalue, traceback: [] };
}
