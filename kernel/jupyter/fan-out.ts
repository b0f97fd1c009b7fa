/**
 * Publishes iopub messages to each subscriber at that subscriber's speed. When a subscriber reads too slowly, ZeroMQ's
 * publisher either drops messages (including the cell's idle status) or buffers them without limit. Here each subscriber has
 * a private topic besides the shared one. When its buffer is full, its messages wait in a separate queue. Once that queue is
 * too long, output is dropped from it, and the dropped bytes are counted.
 */
import { XPublisher } from "zeromq";
import type { Frame } from "./wire.ts";

export interface Published {
  /** The first frame is the topic. */
  frames: Frame[];
  /** Set for output that may be dropped: makes the message that replaces it and states how many bytes were dropped. */
  lost?: (bytes: number) => Frame[];
}

/** The number of messages that ZeroMQ buffers for each subscriber. A stream message has at most 256 kB. */
const ROOM = 64;
/** The most bytes of output that wait for one subscriber. */
const MOST_WAITING_BYTES = 128 << 20;
/** The most subscribers that are remembered. When several have the same prefix, ZeroMQ does not report which one left. */
const MOST_SUBSCRIBERS = 1000;
/** Milliseconds between two attempts to send waiting messages: at first, and when no attempt has succeeded for long. */
const SOON = 2;
const LATER = 100;
const ZMQ_SUBSCRIBE = 6;

interface Subscriber {
  /** The subscribed prefix of message types. It is empty for all common front ends. */
  prefix: string;
  topic: string;
  waiting: Published[];
  /** The bytes of the waiting output. */
  bytes: number;
  /** The bytes dropped at the end of the queue. */
  dropped: number;
}

class Publisher extends XPublisher {
  /** Subscribes the sender of the last received subscription to this topic. */
  add(topic: string): void {
    this.setStringOption(ZMQ_SUBSCRIBE, topic);
  }
}

const SHARED = "\u0000all\u0000";

export class FanOut {
  readonly socket: Publisher;
  readonly #most: number;
  /** Replaced whenever a subscriber comes or goes. */
  #subscribers: readonly Subscriber[] = [];
  /** The number of connected subscribers, by prefix. */
  readonly #connected = new Map<string, number>();
  #last = 0;
  #pause = SOON;
  /** Sends one message after another, because a socket accepts one send at a time. */
  #queue: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(security: object, mostWaitingBytes = MOST_WAITING_BYTES) {
    this.#most = mostWaitingBytes;
    const options = { sendHighWaterMark: ROOM, sendTimeout: 0, linger: 1000, noDrop: true, manual: true };
    this.socket = new Publisher({ ...options, ...security });
  }

  /** Reads subscriptions until the socket is closed. */
  async listen(onSubscribe: (topic: Buffer) => void, onNoSubscriber: () => void = () => {}): Promise<void> {
    for await (const [frame] of this.socket) {
      const prefix = frame!.subarray(1).toString("latin1");
      const isSubscription = frame![0] === 1;
      this.#connected.set(prefix, (this.#connected.get(prefix) ?? 0) + (isSubscription ? 1 : -1));
      if (isSubscription) {
        this.#add(prefix);
        onSubscribe(frame!.subarray(1));
      } else if (this.#connected.get(prefix)! <= 0) {
        this.#connected.delete(prefix);
        this.#subscribers = this.#subscribers.filter((each) => each.prefix !== prefix);
        if (this.#connected.size === 0) onNoSubscriber();
      }
    }
  }

  send(message: Published): void {
    if (this.#closed) return;
    // A new subscriber does not receive messages that were queued before it subscribed.
    const subscribers = this.#subscribers;
    this.#queue = this.#queue.then(() => this.#publish(message, subscribers));
  }

  /** Sends waiting messages for at most a second, then closes the socket. */
  async close(): Promise<void> {
    const deadline = performance.now() + 1000;
    await this.#queue;
    while (this.#behind().length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, SOON));
      await this.#catchUp();
    }
    this.#closed = true;
    clearTimeout(this.#retry);
    this.socket.close();
  }

  #add(prefix: string): void {
    const topic = `${prefix}\u0000${++this.#last}\u0000`;
    this.socket.add(topic);
    if (prefix === "") this.socket.add(SHARED);
    const added = { prefix, topic, waiting: [], bytes: 0, dropped: 0 };
    this.#subscribers = [...this.#subscribers, added].slice(-MOST_SUBSCRIBERS);
  }

  #behind(): Subscriber[] {
    return this.#subscribers.filter(({ waiting }) => waiting.length > 0);
  }

  async #publish(message: Published, subscribers: readonly Subscriber[]): Promise<void> {
    const alike = subscribers.every(({ prefix, waiting }) => prefix === "" && waiting.length === 0);
    if (subscribers === this.#subscribers && alike && (await this.#hasSent(SHARED, message))) return;
    const type = String(message.frames[0]);
    for (const subscriber of subscribers) {
      if (!this.#subscribers.includes(subscriber)) continue;
      if (!type.startsWith(subscriber.prefix)) continue;
      if (subscriber.waiting.length > 0 || !(await this.#hasSent(subscriber.topic, message)))
        this.#wait(subscriber, message);
    }
  }

  #wait(subscriber: Subscriber, message: Published): void {
    const { waiting } = subscriber;
    if (message.lost) {
      const size = sizeOf(message);
      if (subscriber.bytes + size > this.#most) {
        const last = waiting.at(-1);
        // One message states the sum of consecutive drops.
        if (subscriber.dropped > 0 && last) waiting.pop();
        subscriber.dropped += size;
        waiting.push({ frames: message.lost(subscriber.dropped) });
      } else {
        subscriber.bytes += size;
        subscriber.dropped = 0;
        waiting.push(message);
      }
    } else {
      subscriber.dropped = 0;
      waiting.push(message);
    }
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#queue = this.#queue.then(() => this.#catchUp());
    }, this.#pause).unref();
  }

  async #catchUp(): Promise<void> {
    if (this.#closed) return;
    let progress = false;
    for (const subscriber of this.#behind()) {
      let sent = 0;
      for (const message of subscriber.waiting) {
        if (!(await this.#hasSent(subscriber.topic, message))) break;
        sent++;
        if (message.lost) subscriber.bytes -= sizeOf(message);
      }
      subscriber.waiting = subscriber.waiting.slice(sent);
      if (subscriber.waiting.length === 0) subscriber.dropped = 0;
      progress ||= sent > 0;
    }
    this.#pause = progress ? SOON : Math.min(LATER, this.#pause * 2);
    if (this.#behind().length > 0) this.#lookAgain();
  }

  /** Returns false when the subscriber's buffer is full. */
  async #hasSent(topic: string, { frames }: Published): Promise<boolean> {
    if (this.socket.closed) return true;
    try {
      await this.socket.send([topic + String(frames[0]), ...frames.slice(1)]);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
      if (!this.socket.closed) console.error(`[halftone] a message could not be published: ${error}`);
      return true;
    }
  }
}

function sizeOf({ frames }: Published): number {
  return frames.reduce((sum, frame) => sum + (typeof frame === "string" ? frame.length : frame.byteLength), 0);
}
