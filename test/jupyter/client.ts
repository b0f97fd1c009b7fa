/** A Jupyter client as the protocol describes it, which starts the kernel as a front end does. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { curveKeyPair, Dealer, Request, Subscriber } from "zeromq";
import { type Connection, endpoint } from "../../kernel/jupyter/connection.ts";
import type { Json, Message } from "../../kernel/jupyter/messages.ts";
import { Wire } from "../../kernel/jupyter/wire.ts";

const kernelMain = fileURLToPath(new URL("../../kernel/main.js", import.meta.url));
/** Long enough for a machine that does ten other things. */
const DEADLINE_MS = 60_000;

export interface Ran {
  reply: Message;
  /** What iopub said with the request as parent, from busy to idle. */
  published: Message[];
  /** Texts of stdout joined. */
  stdout: string;
  /** Content of the first message of that type. */
  content(type: string): Json | undefined;
}

export interface Asked {
  /** The message id of the request. */
  id: string;
  reply: Promise<Message>;
  done: Promise<Ran>;
}

export interface Options {
  transport?: "tcp" | "ipc";
  encrypted?: boolean;
  env?: NodeJS.ProcessEnv;
}

export async function startKernel(options: Options = {}): Promise<Client> {
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-kernel-"));
  const connection = await makeConnection(folder, options);
  const file = path.join(folder, "connection.json");
  writeFileSync(file, JSON.stringify(connection));
  const env = { ...process.env, HALFTONE_HISTORY: path.join(folder, "history.jsonl"), ...options.env };
  const kernel = spawn(process.execPath, [kernelMain, file], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const client = new Client(connection, kernel);
  after(() => client.end());
  await client.connect();
  return client;
}

export class Client {
  readonly connection: Connection;
  readonly kernel: ChildProcess;
  readonly wire: Wire;
  /** What the kernel wrote on stderr: its log. */
  log = "";
  readonly shell: Dealer;
  readonly control: Dealer;
  readonly stdin: Dealer;
  readonly iopub: Subscriber;
  readonly heartbeat: Request;
  /** All that iopub and stdin said. */
  readonly published: Message[] = [];
  readonly asked: Message[] = [];
  readonly #replies: Message[] = [];
  readonly #watchers = new Set<() => void>();
  readonly exited: Promise<number | null>;

  constructor(connection: Connection, kernel: ChildProcess) {
    this.connection = connection;
    this.kernel = kernel;
    this.wire = new Wire(connection.key);
    const security = clientSecurity(connection);
    this.shell = new Dealer(security);
    this.control = new Dealer(security);
    this.stdin = new Dealer({ ...security, routingId: "client" });
    this.shell.routingId = "client";
    this.iopub = new Subscriber({ ...security, receiveHighWaterMark: 0 });
    this.heartbeat = new Request(security);
    kernel.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
      this.#changed();
    });
    this.exited = new Promise((resolve) => kernel.once("exit", resolve));
  }

  /** Connects, and waits until iopub has welcomed this client. */
  async connect(): Promise<void> {
    for (const channel of ["shell", "control", "stdin", "iopub"] as const) {
      this[channel].connect(endpoint(this.connection, channel));
    }
    this.heartbeat.connect(endpoint(this.connection, "hb"));
    this.iopub.subscribe("");
    void this.#read(this.iopub, this.published);
    void this.#read(this.shell, this.#replies);
    void this.#read(this.control, this.#replies);
    void this.#read(this.stdin, this.asked);
    await this.until(() => this.published.some(({ header }) => header.msg_type === "iopub_welcome"), "iopub's welcome");
  }

  request(
    type: string,
    content: Json,
    where: { channel?: "shell" | "control"; subshell?: string; buffers?: Buffer[] } = {},
  ): Asked {
    const header = { ...this.wire.header(type), ...(where.subshell && { subshell_id: where.subshell }) };
    const { msg_id: id } = header;
    const message = { identities: [], header, parent: {}, metadata: {}, content, buffers: where.buffers ?? [] };
    void this[where.channel ?? "shell"].send(this.wire.encode(message));
    const answers = ({ parent }: Message): boolean => parent.msg_id === id;
    // Comm messages have no reply: their own message stands in for it.
    const reply = type.endsWith("_request")
      ? this.until(() => this.#replies.find(answers), `the reply to ${type}`)
      : Promise.resolve(message);
    const mine = (): Message[] => this.published.filter(answers);
    const done = this.until(() => mine().find(({ content }) => content.execution_state === "idle"), "idle").then(
      async () => {
        const published = mine();
        const streams = published.filter(
          ({ header, content }) => header.msg_type === "stream" && content.name === "stdout",
        );
        return {
          reply: await reply,
          published,
          stdout: streams.map(({ content }) => content.text).join(""),
          content: (wanted: string) => published.find(({ header }) => header.msg_type === wanted)?.content,
        };
      },
    );
    for (const promise of [reply, done]) promise.catch(() => {});
    return { id, reply, done };
  }

  execute(code: string, content: Json = {}, subshell?: string): Asked {
    return this.request("execute_request", { code, allow_stdin: false, ...content }, subshell ? { subshell } : {});
  }

  async ask(type: string, content: Json = {}, channel: "shell" | "control" = "shell"): Promise<Json> {
    return (await this.request(type, content, { channel }).reply).content;
  }

  /** Answers the kernel's question. */
  answer(question: Message, value: string): void {
    const header = this.wire.header("input_reply");
    const message = { identities: [], header, parent: question.header, metadata: {}, content: { value }, buffers: [] };
    void this.stdin.send(this.wire.encode(message));
  }

  async beat(): Promise<string> {
    await this.heartbeat.send("ping");
    const [echo] = await this.heartbeat.receive();
    return String(echo);
  }

  until<T>(look: () => T | undefined | false, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (!found) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`waited in vain for ${what}; the kernel's log:\n${this.log}`));
      }, DEADLINE_MS);
      this.#watchers.add(check);
      check();
    });
  }

  end(): void {
    this.kernel.kill("SIGKILL");
    for (const socket of [this.shell, this.control, this.stdin, this.iopub, this.heartbeat]) {
      socket.linger = 0;
      socket.close();
    }
  }

  async #read(socket: Dealer | Subscriber, into: Message[]): Promise<void> {
    const wire = new Wire(this.connection.key);
    try {
      for await (const frames of socket) {
        into.push(wire.decode(frames));
        this.#changed();
      }
    } catch (error) {
      if (!socket.closed) throw error;
    }
  }

  #changed(): void {
    for (const check of this.#watchers) check();
  }
}

async function makeConnection(folder: string, { transport = "tcp", encrypted }: Options): Promise<Connection> {
  const keys = encrypted ? curveKeyPair() : undefined;
  const ports = transport === "ipc" ? [1, 2, 3, 4, 5] : await freePorts(5);
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports as [number, number, number, number, number];
  return {
    transport,
    ip: transport === "ipc" ? path.join(folder, "k") : "127.0.0.1",
    shell_port,
    iopub_port,
    stdin_port,
    control_port,
    hb_port,
    key: "b3c3b8a2-secret",
    signature_scheme: "hmac-sha256",
    ...(keys && { curve_publickey: keys.publicKey, curve_secretkey: keys.secretKey }),
  };
}

function clientSecurity({ curve_publickey }: Connection): object {
  if (!curve_publickey) return {};
  const own = curveKeyPair();
  return { curveServerKey: curve_publickey, curvePublicKey: own.publicKey, curveSecretKey: own.secretKey };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer();
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
