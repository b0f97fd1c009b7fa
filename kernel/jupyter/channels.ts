/** The five sockets: bound, encrypted when the connection file asks, and sent to in order. */
import { Dealer, Router, XPublisher, Proxy as ZmqProxy } from "zeromq";
import { type ChannelName, type Connection, endpoint } from "./connection.ts";
import type { Frame } from "./wire.ts";

export type RequestChannel = "shell" | "control" | "stdin";

export interface Receivers {
  /** One multipart message from a client; the channel it came by. */
  onFrames(channel: RequestChannel, frames: Buffer[]): void;
  /** A client subscribed to iopub. */
  onSubscribe(topic: Buffer): void;
}

/** Nothing is ever dropped on our side: a slow reader makes the queue longer, not the output shorter. */
const UNLIMITED = { sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 1000 };

export class Channels {
  readonly #requests: Record<RequestChannel, Outbox>;
  readonly #iopub: Outbox;
  readonly #sockets: (Router | XPublisher)[];
  readonly #heartbeat: ZmqProxy;

  private constructor(sockets: Record<RequestChannel, Router>, iopub: XPublisher, heartbeat: ZmqProxy) {
    this.#requests = {
      shell: new Outbox(sockets.shell),
      control: new Outbox(sockets.control),
      stdin: new Outbox(sockets.stdin),
    };
    this.#iopub = new Outbox(iopub);
    this.#sockets = [...Object.values(sockets), iopub];
    this.#heartbeat = heartbeat;
  }

  static async bind(connection: Connection, receivers: Receivers): Promise<Channels> {
    const security = curve(connection);
    const router = (): Router => new Router({ ...UNLIMITED, ...security, handover: true });
    const requests = { shell: router(), control: router(), stdin: router() };
    const iopub = new XPublisher({ sendHighWaterMark: 0, linger: 1000, ...security });
    iopub.verbosity = "allSubs";
    const at = (channel: ChannelName): string => endpoint(connection, channel);
    const [heartbeat] = await Promise.all([
      startHeartbeat(at("hb"), new Router({ ...security })),
      iopub.bind(at("iopub")),
      ...(["shell", "control", "stdin"] as const).map((name) => requests[name].bind(at(name))),
    ]);
    const channels = new Channels(requests, iopub, heartbeat);
    for (const name of ["shell", "control", "stdin"] as const) {
      void pump(requests[name], (frames) => receivers.onFrames(name, frames));
    }
    void pump(iopub, ([frame]) => {
      if (frame?.[0] === 1) receivers.onSubscribe(frame.subarray(1));
    });
    return channels;
  }

  send(channel: RequestChannel | "iopub", frames: Frame[]): void {
    (channel === "iopub" ? this.#iopub : this.#requests[channel]).send(frames);
  }

  /** Sends what is queued, then closes. */
  async close(): Promise<void> {
    await Promise.all([this.#iopub.drained(), ...Object.values(this.#requests).map((box) => box.drained())]);
    this.#heartbeat.terminate();
    for (const socket of this.#sockets) socket.close();
  }
}

function curve({ curve_publickey, curve_secretkey }: Connection): object {
  if (!curve_publickey || !curve_secretkey) return {};
  return { curveServer: true, curvePublicKey: curve_publickey, curveSecretKey: curve_secretkey };
}

/**
 * Echoes on a native thread, so it answers while this process is busy too. A DEALER connected to its own inproc address
 * gets back whatever it sends, and the proxy carries that to the client that asked.
 */
async function startHeartbeat(address: string, front: Router): Promise<ZmqProxy> {
  const loopback = new Dealer();
  await Promise.all([front.bind(address), loopback.bind("inproc://heartbeat")]);
  loopback.connect("inproc://heartbeat");
  const proxy = new ZmqProxy(front, loopback);
  void proxy.run();
  return proxy;
}

async function pump(socket: Router | XPublisher, receive: (frames: Buffer[]) => void): Promise<void> {
  try {
    for await (const frames of socket) receive(frames as Buffer[]);
  } catch (error) {
    if (!socket.closed) throw error;
  }
}

/** A socket takes one send at a time; the rest waits here, in order. */
class Outbox {
  readonly #socket: Router | XPublisher;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(socket: Router | XPublisher) {
    this.#socket = socket;
  }

  send(frames: Frame[]): void {
    this.#waiting++;
    const sent = this.#waiting === 1 ? this.#socket.send(frames) : this.#last.then(() => this.#socket.send(frames));
    this.#last = sent.then(
      () => void this.#waiting--,
      (error: unknown) => {
        this.#waiting--;
        if (!this.#socket.closed) console.error(`[halftone] a message could not be sent: ${error}`);
      },
    );
  }

  drained(): Promise<void> {
    return this.#last;
  }
}
