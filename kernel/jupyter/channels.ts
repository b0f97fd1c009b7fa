/** The five sockets: bound, encrypted when the connection file asks, and sent to in order. */

import { Dealer, Router, Proxy as ZmqProxy } from "zeromq";
import { UserError } from "../../src/base/user-error.ts";
import { type ChannelName, type Connection, endpoint } from "./connection.ts";
import { FanOut, type Published } from "./fan-out.ts";
import type { Frame } from "./wire.ts";

export type RequestChannel = "shell" | "control" | "stdin";

export interface Receivers {
  /** One multipart message from a client; the channel it came by. */
  onFrames(channel: RequestChannel, frames: Buffer[]): void;
  /** A client subscribed to iopub. */
  onSubscribe(topic: Buffer): void;
  /** The last client has left iopub. */
  onNoSubscriber(): void;
}

/** Replies are dropped for a client that has this many unread. */
const MOST_UNREAD_REPLIES = 10_000;
const ROUTED = {
  sendHighWaterMark: MOST_UNREAD_REPLIES,
  receiveHighWaterMark: 0,
  linger: 1000,
  handover: true,
  // Messages that cannot be sent are logged.
  mandatory: true,
  sendTimeout: 0,
};

export class Channels {
  readonly #requests: Record<RequestChannel, Outbox>;
  readonly #iopub: FanOut;
  readonly #sockets: Router[];
  readonly #heartbeat: ZmqProxy;

  private constructor(sockets: Record<RequestChannel, Router>, iopub: FanOut, heartbeat: ZmqProxy) {
    this.#requests = {
      shell: new Outbox(sockets.shell),
      control: new Outbox(sockets.control),
      stdin: new Outbox(sockets.stdin),
    };
    this.#iopub = iopub;
    this.#sockets = Object.values(sockets);
    this.#heartbeat = heartbeat;
  }

  static async bind(connection: Connection, receivers: Receivers): Promise<Channels> {
    const security = curve(connection);
    const router = (): Router => new Router({ ...ROUTED, ...security });
    const requests = { shell: router(), control: router(), stdin: router() };
    const iopub = new FanOut(security);
    const bind = async (socket: Router | FanOut["socket"], channel: ChannelName): Promise<void> => {
      const address = endpoint(connection, channel);
      await socket.bind(address).catch((error: Error) => {
        const advice = "Free it, or start the kernel with other ports.";
        throw new UserError(`cannot listen on ${address} for the ${channel} channel: ${error.message}. ${advice}`);
      });
    };
    const front = new Router({ ...security });
    await Promise.all([
      bind(front, "hb"),
      bind(iopub.socket, "iopub"),
      ...(["shell", "control", "stdin"] as const).map((name) => bind(requests[name], name)),
    ]);
    const heartbeat = await startHeartbeat(front);
    const channels = new Channels(requests, iopub, heartbeat);
    for (const name of ["shell", "control", "stdin"] as const) {
      void pump(requests[name], (frames) => receivers.onFrames(name, frames));
    }
    void iopub.listen(receivers.onSubscribe, receivers.onNoSubscriber);
    return channels;
  }

  send(channel: RequestChannel, frames: Frame[]): void {
    this.#requests[channel].send(frames);
  }

  publish(message: Published): void {
    this.#iopub.send(message);
  }

  /** Sends what is queued, then closes. */
  async close(): Promise<void> {
    await Promise.all([this.#iopub.close(), ...Object.values(this.#requests).map((box) => box.drained())]);
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
async function startHeartbeat(front: Router): Promise<ZmqProxy> {
  const loopback = new Dealer();
  await loopback.bind("inproc://heartbeat");
  loopback.connect("inproc://heartbeat");
  const proxy = new ZmqProxy(front, loopback);
  void proxy.run();
  return proxy;
}

async function pump(socket: Router, receive: (frames: Buffer[]) => void): Promise<void> {
  try {
    for await (const frames of socket) receive(frames as Buffer[]);
  } catch (error) {
    if (!socket.closed) throw error;
  }
}

/** Queues messages, because a socket accepts one send at a time. */
class Outbox {
  readonly #socket: Router;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #unread = 0;

  constructor(socket: Router) {
    this.#socket = socket;
  }

  send(frames: Frame[]): void {
    // Output of a cell that arrives while the kernel shuts down has no receiver.
    if (this.#socket.closed) return;
    this.#waiting++;
    const sent = this.#waiting === 1 ? this.#socket.send(frames) : this.#last.then(() => this.#socket.send(frames));
    this.#last = sent.then(
      () => void this.#waiting--,
      (error: NodeJS.ErrnoException) => {
        this.#waiting--;
        this.#notSent(error);
      },
    );
  }

  #notSent(error: NodeJS.ErrnoException): void {
    // A client that has gone needs no reply.
    if (this.#socket.closed || error.code === "EHOSTUNREACH") return;
    if (error.code !== "EAGAIN") console.error(`[halftone] a message could not be sent: ${error}`);
    else if (this.#unread++ % 1000 === 0)
      console.error(`[halftone] dropped ${this.#unread} replies that the client did not read`);
  }

  drained(): Promise<void> {
    return this.#last;
  }
}
