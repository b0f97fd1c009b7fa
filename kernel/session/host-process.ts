import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { encodeFrame, type Frame, FrameReader, frameKinds } from "../protocol/frames.ts";
import {
  type Command,
  type DebugCommand,
  type DebugMessage,
  type Event,
  fds,
  type GuardCommand,
  type GuardEvent,
} from "../protocol/host.ts";
import { killHost, type LaunchedHost } from "./launch.ts";
import { NativeOutput } from "./native.ts";

export interface HostListener {
  event(event: Event): void;
  stream(cell: number, name: "stdout" | "stderr", text: string): void;
  /** Output of native code and child processes, which names no cell. */
  native(name: "stdout" | "stderr", text: string): void;
  guard(event: GuardEvent): void;
  debug(message: DebugMessage): void;
  /** A pipe of the host holds something else than its messages, or is closed, so that nothing more can be understood. */
  garbled(): void;
  exit(code: number | null, signal: NodeJS.Signals | null, wasReady: boolean): void;
}

/** Milliseconds. */
const gatherFor = 10;
/** Milliseconds from the end of a pipe to the end of its host. */
const closesBefore = 2000;

/** A process in which user code runs: sends its commands and delivers its output in order. */
export class HostProcess {
  readonly hostName: string;
  readonly #child: ChildProcess;
  readonly #listener: HostListener;
  readonly #commands: Socket;
  readonly #guard: Socket;
  readonly #debug: Socket;
  readonly #stdout: NativeOutput;
  readonly #stderr: NativeOutput;
  /** Frames that wait for native output written before them. */
  #waiting: Frame[] = [];
  /** Native output that waits for the frames before it. */
  #native: { name: "stdout" | "stderr"; text: string; marker: number }[] = [];
  #nativeTurn: NodeJS.Immediate | undefined;
  #lastStream = 0;
  #gathering: NodeJS.Timeout | undefined;
  readonly exited: Promise<void>;
  #ready = false;

  constructor({ child, hostName, markerToken, ended }: LaunchedHost, listener: HostListener) {
    this.#listener = listener;
    this.#child = child;
    this.hostName = hostName;
    this.#stdout = new NativeOutput(markerToken, (text, marker) => this.#onNative("stdout", text, marker));
    this.#stderr = new NativeOutput(markerToken, (text, marker) => this.#onNative("stderr", text, marker));
    this.#listenToNative(this.#child.stdout as Socket, this.#stdout);
    this.#listenToNative(this.#child.stderr as Socket, this.#stderr);
    this.#commands = this.#pipe(fds.commands);
    this.#guard = this.#pipe(fds.guard);
    this.#debug = this.#pipe(fds.debug);
    const outputs = this.#pipe(fds.outputs);
    this.#readFrames(outputs, (frames) => {
      this.#waiting = this.#waiting.concat(frames);
      this.#deliver();
    });
    this.#readJson<GuardEvent>(this.#guard, (event) => listener.guard(event));
    this.#readJson<DebugMessage>(this.#debug, (message) => listener.debug(message));
    this.exited = ended.then((how) => {
      this.#stdout.end();
      this.#stderr.end();
      clearTimeout(this.#gathering);
      clearImmediate(this.#nativeTurn);
      this.#deliver(true);
      this.#deliverNative(Number.POSITIVE_INFINITY);
      if (how instanceof Error) {
        listener.native("stderr", `${how.message}\n`);
        listener.exit(null, null, this.#ready);
      } else listener.exit(how.code, how.signal, this.#ready);
    });
  }

  /** Its children may still hold its pipes then. */
  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** Bytes of commands that the host has not read yet. */
  get unread(): number {
    return this.#commands.writableLength;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(command: Command): void {
    this.#commands.write(encodeFrame(command));
  }

  tellGuard(command: GuardCommand): void {
    this.#guard.write(encodeFrame(command));
  }

  debug(command: DebugCommand): void {
    this.#debug.write(encodeFrame(command));
  }

  kill(): void {
    killHost(this.#child);
  }

  #pipe(fd: number): Socket {
    const socket = this.#child.stdio[fd] as Socket;
    // A host that dies breaks its pipes: its exit is reported instead.
    socket.on("error", () => {});
    socket.on("close", () => setTimeout(() => this.#hasEnded || this.#listener.garbled(), closesBefore).unref());
    return socket;
  }

  #readFrames(pipe: Socket, receive: (frames: Frame[]) => void): void {
    const reader = new FrameReader();
    pipe.on("data", (chunk: Buffer) => {
      let frames: Frame[];
      try {
        frames = reader.read(chunk);
      } catch {
        this.#listener.garbled();
        return;
      }
      receive(frames);
    });
  }

  #readJson<Message extends object>(pipe: Socket, receive: (message: Message) => void): void {
    this.#readFrames(pipe, (frames) => {
      for (const frame of frames) {
        const message = this.#parse<Message>(frame);
        if (message) receive(message);
      }
    });
  }

  #parse<Message extends object>({ body }: Frame): Message | undefined {
    try {
      const message: unknown = JSON.parse(body.toString("utf8"));
      if (typeof message === "object" && message !== null) return message as Message;
    } catch {
      // Not a message either.
    }
    this.#listener.garbled();
    return undefined;
  }

  #listenToNative(socket: Socket, output: NativeOutput): void {
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      output.read(chunk);
      this.#deliver();
    });
    socket.on("end", () => {
      output.end();
      this.#deliver();
    });
  }

  /**
   * Frames written before this text are in their pipe already: they are read first, which takes a turn of the event
   * loop. Frames that the host marked after it wait for it anyway.
   */
  #onNative(name: "stdout" | "stderr", text: string, marker: number): void {
    // The two pipes are read each at its own pace.
    const after = this.#native.findIndex((each) => each.marker > marker);
    this.#native.splice(after === -1 ? this.#native.length : after, 0, { name, text, marker });
    this.#nativeTurn ??= setImmediate(() => {
      this.#nativeTurn = setImmediate(() => {
        this.#nativeTurn = undefined;
        this.#deliver(true);
        this.#deliverNative(Number.POSITIVE_INFINITY);
      });
    });
  }

  #deliverNative(upTo: number): void {
    while (this.#native[0] && this.#native[0].marker <= upTo) {
      const { name, text } = this.#native.shift()!;
      this.#listener.native(name, text);
    }
  }

  /** Delivers the frames that are in order. Consecutive stream frames become one text, which keeps a flood cheap. */
  #deliver(atOnce = false): void {
    const frames = this.#waiting;
    let at = 0;
    for (let frame = frames[0]; frame && this.#isDue(frame); frame = frames[at]) {
      this.#deliverNative(frame.marker - 1);
      if (frame.kind === frameKinds.json) {
        at++;
        const event = this.#parse<Event>(frame);
        if (!event) continue;
        if (event.type === "ready") this.#ready = true;
        this.#listener.event(event);
        continue;
      }
      const { kind, cell } = frame;
      let end = at;
      for (let next: Frame | undefined = frame; next?.kind === kind && next.cell === cell; next = frames[++end]) {
        if (next.marker !== frame.marker && (this.#native.length > 0 || !this.#isDue(next))) break;
      }
      if (end === frames.length && !atOnce && this.#gathers()) break;
      const bodies = frames.slice(at, end).map(({ body }) => body);
      at = end;
      const text = (bodies.length === 1 ? bodies[0]! : Buffer.concat(bodies)).toString("utf8");
      this.#listener.stream(cell, kind === frameKinds.stdout ? "stdout" : "stderr", text);
    }
    this.#waiting = at === 0 ? frames : frames.slice(at);
  }

  /** Whether to hold text that follows quickly. The first text, and text before another output, is not held. */
  #gathers(): boolean {
    if (this.#gathering) return true;
    const now = performance.now();
    const fast = now - this.#lastStream < gatherFor;
    this.#lastStream = now;
    if (!fast) return false;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#deliver(true);
      this.#lastStream = performance.now();
    }, gatherFor);
    return true;
  }

  #isDue({ marker }: Frame): boolean {
    return marker <= this.#stdout.reached && marker <= this.#stderr.reached;
  }
}
