/** A Jupyter client as the protocol describes it, which starts the kernel as a front end does, and hears all it says. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { after, afterEach } from "node:test";
import { fileURLToPath } from "node:url";
import { curveKeyPair, Dealer, Request, Subscriber } from "zeromq";
import { type Connection, endpoint } from "../../kernel/jupyter/connection.ts";
import type { Json, Message } from "../../kernel/jupyter/messages.ts";
import { type Frame, Wire } from "../../kernel/jupyter/wire.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { Exchange, kindOf } from "./exchange.ts";
import { makeConnection, type Options } from "./ports.ts";

const kernelMain = fileURLToPath(new URL("../../kernel/main.js", import.meta.url));
/** Long enough for a machine that does ten other things. */
const DEADLINE_MS = 60_000;
/** The user of the requests by which a client knows that it has heard all that was said before. */
const FENCE = "fence";

/** What a client sees of the process that runs the kernel: a child process, or what stands for one. */
export interface KernelProcess {
  readonly pid?: number | undefined;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  kill(signal: NodeJS.Signals): unknown;
  once(event: "exit", listener: (code: number | null) => void): unknown;
}

export interface Where {
  channel?: "shell" | "control";
  subshell?: string;
  buffers?: Buffer[];
  metadata?: Json;
}

/** A kernel that ends with the test, or the file, that starts it. */
export async function startKernel(options: Options = {}): Promise<Client> {
  const folder = temporaryFolder();
  const connection = await makeConnection(folder, options);
  const file = path.join(folder, "connection.json");
  writeFileSync(file, JSON.stringify(connection));
  // Its temporary files too, because it is killed.
  const own = { HALFTONE_HISTORY: path.join(folder, "history.jsonl"), TMPDIR: folder };
  const env = { ...process.env, ...own, ...options.env };
  const { detached = false } = options;
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const kernel = spawn(process.execPath, [kernelMain, file], { cwd: folder, env, stdio: [...stdio], detached });
  return connectTo(connection, kernel, folder);
}

/** One more client of a kernel that runs. */
export async function connectTo(
  connection: Connection,
  kernel: KernelProcess,
  folder: string,
  name = "client",
): Promise<Client> {
  const client = new Client(connection, kernel, folder, name);
  // In a file's own scope each test is checked by itself.
  afterEach(() => client.nothingUnnamed());
  after(() => client.end());
  await client.connect();
  return client;
}

export class Client {
  readonly connection: Connection;
  readonly kernel: KernelProcess;
  /** The kernel's folder. */
  readonly folder: string;
  readonly wire: Wire;
  readonly shell: Dealer;
  readonly control: Dealer;
  readonly stdin: Dealer;
  readonly iopub: Subscriber;
  readonly heartbeat: Request;
  readonly exited: Promise<number | null>;
  /** What the kernel wrote on stdout and stderr, and no test has named. */
  #log = "";
  #sent: Promise<void> = Promise.resolve();
  readonly #exchanges = new Map<string, Exchange>();
  readonly #ofNoRequest = new Exchange(notOurs("none"));
  readonly #watchers = new Set<() => void>();

  constructor(connection: Connection, kernel: KernelProcess, folder: string, name: string) {
    this.connection = connection;
    this.kernel = kernel;
    this.folder = folder;
    this.wire = new Wire(connection.key);
    const security = clientSecurity(connection);
    this.shell = new Dealer({ ...security, routingId: name });
    this.control = new Dealer({ ...security, routingId: name });
    this.stdin = new Dealer({ ...security, routingId: name });
    this.iopub = new Subscriber({ ...security, receiveHighWaterMark: 0 });
    this.heartbeat = new Request(security);
    for (const stream of [kernel.stdout!, kernel.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
        for (const check of this.#watchers) check();
      });
    }
    this.exited = new Promise((resolve) => kernel.once("exit", resolve));
  }

  /** Connects, and waits until iopub has welcomed this client. */
  async connect(): Promise<void> {
    for (const channel of ["shell", "control", "stdin", "iopub"] as const) {
      this[channel].connect(endpoint(this.connection, channel));
    }
    this.heartbeat.connect(endpoint(this.connection, "hb"));
    this.iopub.subscribe("");
    void this.#read(this.iopub, (message) => this.#to(message).published.add(message));
    void this.#read(this.shell, (message) => this.#to(message).replies.add(message));
    void this.#read(this.control, (message) => this.#to(message).replies.add(message));
    void this.#read(this.stdin, (message) => this.#to(message).questions.add(message));
    const first = await this.#ofNoRequest.published.peek("iopub_welcome");
    // A client that is early hears the kernel's start, too.
    if (kindOf(first) === "starting") await this.#ofNoRequest.take("starting");
    await this.#ofNoRequest.take("iopub_welcome");
  }

  /** Sends a request of this type and content. */
  request(type: string, content: Json = {}, where: Where = {}): Exchange {
    const header = { ...this.wire.header(type), ...(where.subshell && { subshell_id: where.subshell }) };
    const { buffers = [], metadata = {} } = where;
    const message = { identities: [], header, parent: {}, metadata, content, buffers };
    return this.send(message, this.wire.encode(message), where.channel);
  }

  /** Sends these frames as this message, which they may hold in a way of their own. */
  send(message: Message, frames: Frame[], channel: "shell" | "control" = "shell"): Exchange {
    const exchange = new Exchange(message);
    this.#exchanges.set(exchange.id, exchange);
    this.#sent = this.#sent.then(() => this[channel].send(frames));
    return exchange;
  }

  execute(code: string, content: Json = {}, subshell?: string): Exchange {
    return this.request("execute_request", { code, allow_stdin: false, ...content }, subshell ? { subshell } : {});
  }

  /** Runs a cell that publishes exactly these; gives their contents. It succeeds unless an error is among them. */
  async run(code: string, ...kinds: string[]): Promise<Json[]> {
    const { reply, contents } = await this.execute(code).done(...kinds);
    const expected = kinds.includes("error") ? "error" : "ok";
    if (reply.status !== expected) throw new Error(`expected status ${expected}, got ${JSON.stringify(reply)}`);
    return contents;
  }

  /** A cell's value as text. */
  async value(code: string): Promise<unknown> {
    const [result] = await this.run(code, "execute_result");
    return (result!.data as Json)["text/plain"];
  }

  /** The reply to a request about which iopub says nothing but busy and idle. */
  async ask(type: string, content: Json = {}, channel: "shell" | "control" = "shell"): Promise<Json> {
    return (await this.request(type, content, { channel }).done()).reply;
  }

  /** Answers the kernel's question. */
  answer(question: Message, value: string): void {
    const header = this.wire.header("input_reply");
    const message = { identities: [], header, parent: question.header, metadata: {}, content: { value }, buffers: [] };
    this.#sent = this.#sent.then(() => this.stdin.send(this.wire.encode(message)));
  }

  async beat(): Promise<string> {
    await this.heartbeat.send("ping");
    const [echo] = await this.heartbeat.receive();
    return String(echo);
  }

  /** What is said about no request, or about that of another client. */
  about(request?: Exchange): Exchange {
    if (!request) return this.#ofNoRequest;
    return this.#exchanges.get(request.id) ?? this.#foreign(request.header);
  }

  /** Takes the kernel's log up to the line's end in which this stands; waits for it. */
  async logged(pattern: RegExp): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        const found = pattern.exec(this.#log);
        const end = found ? this.#log.indexOf("\n", found.index) : -1;
        if (end === -1) return;
        this.#log = this.#log.slice(end + 1);
        this.#watchers.delete(check);
        resolve();
      };
      timer = setTimeout(() => reject(new Error(`waited in vain for ${pattern} in ${this.#log}`)), DEADLINE_MS);
      this.#watchers.add(check);
      check();
    });
    clearTimeout(timer);
  }

  /** All of the kernel's log that no test has named. */
  takeLog(): string {
    const log = this.#log;
    this.#log = "";
    return log;
  }

  /** Takes all that has been said and that no test has named. */
  forget(): void {
    for (const exchange of [this.#ofNoRequest, ...this.#exchanges.values()]) exchange.rest();
  }

  /** Hears all that the kernel has said so far, and throws if a test has not named it. */
  async nothingUnnamed(): Promise<void> {
    const isAlive = this.kernel.exitCode === null && this.kernel.signalCode === null && !this.shell.closed;
    if (isAlive) {
      const header = this.wire.header("kernel_info_request", FENCE);
      const message = { identities: [], header, parent: {}, metadata: {}, content: {}, buffers: [] };
      await this.send(message, this.wire.encode(message)).done();
      this.#exchanges.delete(header.msg_id);
    }
    const said = [this.#ofNoRequest, ...this.#exchanges.values()].flatMap((exchange) => exchange.rest());
    if (this.#log !== "") said.push(`the kernel's log: ${this.#log.slice(0, 2000)}`);
    this.#log = "";
    if (said.length === 0) return;
    throw new Error(`${said.length} messages that the test does not name:\n${said.slice(0, 10).join("\n")}`);
  }

  async end(): Promise<void> {
    try {
      await this.nothingUnnamed();
    } finally {
      this.kernel.kill("SIGKILL");
      await this.exited;
      for (const socket of [this.shell, this.control, this.stdin, this.iopub, this.heartbeat]) {
        socket.linger = 0;
        socket.close();
      }
    }
  }

  #to(message: Message): Exchange {
    const id = message.parent.msg_id;
    if (id === undefined) return this.#ofNoRequest;
    // What another client asks for a fence is heard here too.
    return this.#exchanges.get(String(id)) ?? this.#foreign(message.parent as Message["header"]);
  }

  #foreign(header: Message["header"]): Exchange {
    const exchange = new Exchange({ ...notOurs(String(header.msg_id)), header });
    if (header.username !== FENCE) this.#exchanges.set(exchange.id, exchange);
    return exchange;
  }

  async #read(socket: Dealer | Subscriber, receive: (message: Message) => void): Promise<void> {
    const wire = new Wire(this.connection.key);
    try {
      for await (const frames of socket) receive(wire.decode(frames));
    } catch (error) {
      if (!socket.closed) throw error;
    }
  }
}

function notOurs(id: string): Message {
  const header = {
    msg_id: id,
    msg_type: "request of another client",
    session: "",
    username: "",
    date: "",
    version: "",
  };
  return { identities: [], header, parent: {}, metadata: {}, content: {}, buffers: [] };
}

function clientSecurity({ curve_publickey }: Connection): object {
  if (!curve_publickey) return {};
  const own = curveKeyPair();
  return { curveServerKey: curve_publickey, curvePublicKey: own.publicKey, curveSecretKey: own.secretKey };
}
