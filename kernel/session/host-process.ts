import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { encodeFrame, type Frame, FrameReader, frameKinds } from "../host/frames.ts";
import {
  type Command,
  type Event,
  fds,
  type GuardCommand,
  type GuardEvent,
  type HostOptions,
  optionsVariable,
} from "../host/protocol.ts";
import { NativeOutput } from "./native.ts";

export interface HostListener {
  event(event: Event): void;
  stream(cell: number, name: "stdout" | "stderr", text: string): void;
  /** Output of native code and child processes, which names no cell. */
  native(name: "stdout" | "stderr", text: string): void;
  guard(event: GuardEvent): void;
  exit(code: number | null, signal: NodeJS.Signals | null, wasReady: boolean): void;
}

const flags = [
  // `import.meta.resolve` with a parent: from the notebook's folder.
  "--experimental-import-meta-resolve",
  // An interrupt that ends a timer's or an awaited callback leaves Node's async ids unpopped, for which it would abort.
  "--no-force-async-hooks-checks",
];

/** One life of the process in which user code runs: what it is told and what it says, in order. */
export class HostProcess {
  readonly hostName = `__halftone_${randomBytes(6).toString("hex")}`;
  readonly #child: ChildProcess;
  readonly #listener: HostListener;
  readonly #commands: Socket;
  readonly #guard: Socket;
  readonly #stdout: NativeOutput;
  readonly #stderr: NativeOutput;
  /** Frames that wait for native output written before them. */
  readonly #waiting: Frame[] = [];
  readonly exited: Promise<void>;
  #ready = false;

  constructor(options: { cwd: string; env: NodeJS.ProcessEnv }, listener: HostListener) {
    this.#listener = listener;
    const markerToken = randomBytes(12).toString("hex");
    const hostOptions: HostOptions = { cwd: options.cwd, hostName: this.hostName, markerToken };
    const main = fileURLToPath(new URL("../host/main.js", import.meta.url));
    this.#child = spawn(process.execPath, [...flags, main], {
      cwd: options.cwd,
      env: { ...options.env, [optionsVariable]: JSON.stringify(hostOptions) },
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    this.#stdout = new NativeOutput(markerToken, (text) => listener.native("stdout", text));
    this.#stderr = new NativeOutput(markerToken, (text) => listener.native("stderr", text));
    this.#listenToNative(this.#child.stdout as Socket, this.#stdout);
    this.#listenToNative(this.#child.stderr as Socket, this.#stderr);
    this.#commands = this.#pipe(fds.commands);
    this.#guard = this.#pipe(fds.guard);
    const outputs = this.#pipe(fds.outputs);
    const frames = new FrameReader();
    outputs.on("data", (chunk: Buffer) => {
      this.#waiting.push(...frames.read(chunk));
      this.#deliver();
    });
    const guardFrames = new FrameReader();
    this.#guard.on("data", (chunk: Buffer) => {
      for (const frame of guardFrames.read(chunk)) listener.guard(JSON.parse(frame.body.toString()) as GuardEvent);
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#stdout.end();
        this.#stderr.end();
        this.#deliver();
        listener.exit(code, signal, this.#ready);
        resolve();
      };
      this.#child.once("close", end);
      this.#child.once("error", (error) => {
        this.#child.off("close", end);
        listener.native("stderr", `${error.message}\n`);
        end(null, null);
      });
    });
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

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #pipe(fd: number): Socket {
    const socket = this.#child.stdio[fd] as Socket;
    // A host that dies breaks its pipes: its exit tells the story.
    socket.on("error", () => {});
    return socket;
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

  #deliver(): void {
    let count = 0;
    for (const frame of this.#waiting) {
      if (frame.marker > this.#stdout.reached || frame.marker > this.#stderr.reached) break;
      count++;
      if (frame.kind === frameKinds.json) {
        const event = JSON.parse(frame.body.toString("utf8")) as Event;
        if (event.type === "ready") this.#ready = true;
        this.#listener.event(event);
      } else {
        const name = frame.kind === frameKinds.stdout ? "stdout" : "stderr";
        this.#listener.stream(frame.cell, name, frame.body.toString("utf8"));
      }
    }
    this.#waiting.splice(0, count);
  }
}
