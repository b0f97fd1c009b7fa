/** Receives requests from the channels, hands each to its handler, and sends replies and outputs. */
import { randomUUID } from "node:crypto";
import * as v from "valibot";
import type { DebugServer } from "../debug/server.ts";
import type { Session } from "../session/session.ts";
import { Channels, type RequestChannel } from "./channels.ts";
import { CommBridge } from "./comms.ts";
import { completenessOf } from "./completeness.ts";
import type { Connection } from "./connection.ts";
import { Executor } from "./execute.ts";
import { kernelInfo } from "./info.ts";
import type { InputHistory } from "./input-history.ts";
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
/** The most cells that may wait in one lane. */
const MOST_WAITING_CELLS = 10_000;
const MOST_SUBSHELLS = 1000;
/** Milliseconds after which a program that the debugger has stopped goes on, when no front end listens any more. */
const FRONT_END_PATIENCE_MS = 10_000;

/** Handles a request and returns the reply's content, or nothing for messages without a reply. */
type Handler<T extends RequestType> = (
  content: Content<T>,
  message: Message,
) => Promise<Json | undefined> | Json | undefined;
type Handlers = { [T in Exclude<RequestType, "execute_request">]: Handler<T> };

export class Kernel {
  readonly #wire: Wire;
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #history: InputHistory;
  readonly #iopub: IoPub;
  readonly #stdin: Stdin;
  readonly #comms: CommBridge;
  readonly #executor: Executor;
  readonly #usage = new Usage();
  /** Loaded with the first debug request. */
  #debugger: Promise<DebugServer> | undefined;
  #tensors: Json | null = null;
  readonly #main = new Lane();
  readonly #subshells = new Map<string, Lane>();
  readonly #onShutdown: () => unknown;
  #channels!: Channels;

  private constructor(connection: Connection, session: Session, history: InputHistory, onShutdown: () => unknown) {
    this.#connection = connection;
    this.#session = session;
    this.#history = history;
    this.#onShutdown = onShutdown;
    this.#wire = new Wire(connection.key, connection.signature_scheme);
    this.#iopub = new IoPub(this.#wire, (message) => this.#channels.publish(message));
    this.#stdin = new Stdin((type, content, request) => this.#reply("stdin", type, content as Json, request));
    this.#comms = new CommBridge(session, this.#iopub);
    this.#executor = new Executor(session, this.#iopub, this.#stdin, this.#comms, history);
  }

  /** Binds the channels and answers requests. `onShutdown` is called once a client requested shutdown. */
  static async start(
    connection: Connection,
    session: Session,
    history: InputHistory,
    onShutdown: () => unknown,
  ): Promise<Kernel> {
    const kernel = new Kernel(connection, session, history, onShutdown);
    kernel.#channels = await Channels.bind(connection, {
      onFrames: (channel, frames) => kernel.#receive(channel, frames),
      onSubscribe: (topic) => {
        void kernel.#debugger?.then((debug) => debug.frontEndCame());
        kernel.#iopub.welcome(topic.toString("utf8"));
      },
      onNoSubscriber: () => void kernel.#debugger?.then((debug) => debug.frontEndsGone(FRONT_END_PATIENCE_MS)),
    });
    kernel.#iopub.status("starting");
    return kernel;
  }

  /** Waits for the last replies of the ended session, sends all queued messages, and unbinds the channels. */
  async close(): Promise<void> {
    await Promise.all([this.#main, ...this.#subshells.values()].map((lane) => lane.done));
    (await this.#debugger)?.[Symbol.dispose]();
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
    const content = await settled(() => handle(parsed.output as never, message));
    // Comm messages have no reply, also when they fail.
    if (content && type.endsWith("_request")) this.#reply(channel, replyType(type), content, message);
    this.#iopub.status("idle", message.header);
    // A front end shows the last status that it received, so it is told again that a cell runs.
    const running = this.#executor.running;
    if (running) this.#iopub.status("busy", running.header);
    if (type === "shutdown_request") this.#onShutdown();
  }

  #execute(channel: RequestChannel, message: Message, content: Content<"execute_request">): void {
    const subshell = message.header.subshell_id ?? undefined;
    const id = subshell === undefined || typeof subshell === "string" ? subshell : JSON.stringify(subshell);
    const lane = id === undefined ? this.#main : this.#subshells.get(id);
    if (!lane) {
      this.#refuse(channel, message, "UnknownSubshell", `no such subshell: ${id}`);
      return;
    }
    if (lane.waiting >= MOST_WAITING_CELLS) {
      this.#refuse(channel, message, "QueueFull", `${lane.waiting} cells are queued: wait for some of their replies`);
      return;
    }
    lane.push({
      run: async () => {
        this.#iopub.status("busy", message.header);
        const started = new Date().toISOString();
        const count = this.#executor.count;
        const reply = await settled(() => this.#executor.execute(content, message, id));
        // No output of the cell has shown an error of the executor itself.
        if (reply.execution_count === undefined) {
          reply.execution_count = Math.max(count, this.#executor.count);
          const { ename, evalue, traceback } = reply;
          console.error(`[halftone] a cell could not be run: ${ename}: ${evalue}`);
          this.#iopub.publish("error", message.header, { ename, evalue, traceback });
        }
        this.#iopub.flush();
        this.#reply(channel, "execute_reply", reply, message, { started });
        this.#iopub.status("idle", message.header);
        return reply.status === "ok" || !content.stop_on_error ? "ok" : "failed";
      },
      abort: async () => {
        const why = "Skipped because an earlier cell failed. Run it again when that is fixed.";
        this.#refuse(channel, message, "Aborted", why);
      },
    });
  }

  readonly #handlers: Handlers = {
    kernel_info_request: () => kernelInfo(),
    connect_request: () => {
      const { shell_port, iopub_port, stdin_port, control_port, hb_port } = this.#connection;
      return { status: "ok", shell_port, iopub_port, stdin_port, control_port, hb_port };
    },
    is_complete_request: async ({ code }) => ({ ...(await completenessOf(code)) }),
    complete_request: async ({ code, cursor_pos }) => {
      const cursor = cursor_pos === undefined ? code.length : toUtf16(code, cursor_pos);
      const { start, end, items } = await this.#session.complete(code, cursor);
      const place = { start: toCodePoints(code, start), end: toCodePoints(code, end) };
      return {
        status: "ok",
        matches: items.map(({ text }) => text),
        cursor_start: place.start,
        cursor_end: place.end,
        metadata: {
          _jupyter_types_experimental: items.map(({ text, kind, signature, documentation, import: line }) => ({
            ...place,
            text,
            type: kind,
            signature: signature ?? "",
            ...(documentation === undefined ? {} : { documentation }),
            ...(line === undefined ? {} : { import: line }),
          })),
        },
      };
    },
    inspect_request: async ({ code, cursor_pos, detail_level }) => {
      const cursor = cursor_pos === undefined ? code.length : toUtf16(code, cursor_pos);
      const data = await this.#session.inspect(code, cursor, detail_level ? 1 : 0);
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
      if (this.#subshells.size >= MOST_SUBSHELLS) throw new Error(`${MOST_SUBSHELLS} subshells are open: delete some`);
      const subshell_id = randomUUID();
      this.#subshells.set(subshell_id, new Lane());
      return { status: "ok", subshell_id };
    },
    delete_subshell_request: ({ subshell_id }) => {
      if (!this.#subshells.delete(subshell_id)) throw new Error(`no such subshell: ${subshell_id}`);
      return { status: "ok" };
    },
    list_subshell_request: () => ({ status: "ok", subshell_id: [...this.#subshells.keys()] }),
    debug_request: async (content) => ({ ...(await (await this.#debugServer()).answer(content)) }),
    usage_request: async () => {
      // A busy host does not answer: use its last figures.
      this.#tensors = (await this.#session.call<Json>("tensorMemory", {}, TENSOR_PATIENCE_MS)) ?? this.#tensors;
      return { ...this.#usage.measure(), native_tensors: this.#tensors };
    },
  };

  /** Interrupts as the interrupt message does: for clients that send a signal. */
  interrupt(): void {
    this.#session.interrupt();
  }

  #debugServer(): Promise<DebugServer> {
    this.#debugger ??= import("../debug/server.ts").then(
      ({ DebugServer }) =>
        new DebugServer(this.#session, (event) => {
          this.#iopub.publish("debug_event", this.#executor.running?.header ?? {}, { ...event });
        }),
    );
    return this.#debugger;
  }

  #refuse(channel: RequestChannel, message: Message, ename: string, evalue: string): void {
    if (ename !== "Aborted") console.error(`[halftone] refused a message on ${channel}: ${evalue.slice(0, 500)}`);
    this.#iopub.status("busy", message.header);
    const type = message.header.msg_type;
    if (type.endsWith("_request")) {
      const count = type === "execute_request" ? { execution_count: this.#executor.count } : {};
      this.#reply(channel, replyType(type), { ...failure(ename, evalue), ...count }, message);
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
  return { status: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] };
}

/** The job's result, or its error as the reply's content: every request must be followed by idle. */
async function settled<T extends Json | undefined>(work: () => Promise<T> | T): Promise<T | Json> {
  try {
    return await work();
  } catch (error) {
    return error instanceof Error ? failure(error.name, error.message) : failure("Error", String(error));
  }
}
