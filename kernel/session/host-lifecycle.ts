import type { DebugMessage, Event, GuardEvent, MemoryFigures } from "../protocol/host.ts";
import { abortTextStart, type EndReason, type ErrorOutput, explainExit } from "./host-exit.ts";
import { HostProcess } from "./host-process.ts";
import { type LaunchedHost, launchHost } from "./launch.ts";

export interface HostLifecycleOptions {
  cwd: string;
  packages: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Whether V8's inspector will be opened for other debuggers. */
  inspect: boolean;
  /** Milliseconds from an interrupt to the end of a host that does not react to it. */
  interruptGrace: number;
}

export interface HostLifecycleListener {
  event(event: Event): void;
  stream(cell: number, name: "stdout" | "stderr", text: string): void;
  /** Output of native code and child processes, which names no cell. */
  native(name: "stdout" | "stderr", text: string): void;
  debug(message: DebugMessage): void;
  /** The host has ended, and with it all variables. A new one runs, unless it cannot start. */
  ended(error: ErrorOutput, reason: EndReason | undefined): void;
}

/** What Node says of its inspector. */
const inspectorText = /^(?:Debugger (?:listening on|attached|ending on)|For help, see: ).*\n/gm;

/** The processes in which user code runs, one after another: starts, interrupts, replaces and ends them. */
export class HostLifecycle implements AsyncDisposable {
  readonly #options: HostLifecycleOptions;
  readonly #listener: HostLifecycleListener;
  #host: HostProcess | undefined;
  #memory: MemoryFigures | undefined;
  #interrupts = 0;
  #killTimer: NodeJS.Timeout | undefined;
  /** The interrupted cells of which the host has not said that they ended. */
  readonly #stopping = new Set<number>();
  /** Set when the session itself ends the host. */
  #endedBy: EndReason | undefined;
  /** Stderr that looks like V8's message before it aborts, until it is known whether it is. */
  #abortText = "";
  #disposed = false;

  constructor(options: HostLifecycleOptions, listener: HostLifecycleListener, launched?: LaunchedHost) {
    this.#options = options;
    this.#listener = listener;
    this.#host = this.#start(launched);
  }

  /** The host that runs now; none between two of them, or when one could not start. */
  get current(): HostProcess | undefined {
    return this.#host;
  }

  /** The host's memory, as it was last reported while cells ran. */
  get memory(): MemoryFigures | undefined {
    return this.#memory;
  }

  /** The host that runs now, or a new one. */
  require(): HostProcess {
    this.#host ??= this.#start();
    return this.#host;
  }

  /** Stops these cells. A host that does not react in time, or does not end them, is ended. */
  interrupt(cells: number[]): void {
    if (!this.#host) return;
    this.#host.tellGuard({ type: "interrupt", request: ++this.#interrupts, cells });
    for (const cell of cells) this.#stopping.add(cell);
    this.#killTimer ??= this.#killLater(() => true);
  }

  /** Ends the host and starts another. */
  async replace(): Promise<void> {
    const host = this.#host;
    if (host) {
      this.#endedBy = "restart";
      host.kill();
      await host.exited;
    }
    this.require();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#endedBy = "restart";
    this.#host?.kill();
    await this.#host?.exited;
  }

  #start(launched: LaunchedHost = launchHost(this.#options)): HostProcess {
    return new HostProcess(launched, {
      event: (event) => {
        if (event.type === "ready" || event.type === "done") this.#flushAbortText();
        if (event.type === "done") this.#stopping.delete(event.cell);
        this.#listener.event(event);
      },
      stream: (cell, name, text) => this.#listener.stream(cell, name, text),
      native: (name, text) => this.#onNative(name, text),
      guard: (event) => this.#onGuard(event),
      debug: (message) => this.#listener.debug(message),
      garbled: () => {
        this.#endedBy ??= "garbled";
        this.#host?.kill();
      },
      exit: (code, signal, wasReady) => this.#onExit(code, signal, wasReady),
    });
  }

  #onGuard(event: GuardEvent): void {
    if (event.type === "memory") this.#memory = event.memory;
    else if (event.request >= this.#interrupts) {
      this.#cancelKill();
      if (this.#stopping.size > 0) this.#killTimer = this.#killLater(() => this.#stopping.size > 0);
    }
  }

  #onNative(name: "stdout" | "stderr", text: string): void {
    // A host that is not ready yet may say here why it cannot start.
    const held = !this.#host?.isReady || (name === "stderr" && this.#abortText !== "");
    const abortTextAt = held ? 0 : name === "stderr" ? text.search(abortTextStart) : -1;
    const own = abortTextAt === -1 ? text : text.slice(0, abortTextAt);
    const before = this.#options.inspect && name === "stderr" ? own.replace(inspectorText, "") : own;
    if (before !== "") this.#listener.native(name, before);
    if (abortTextAt !== -1) this.#abortText += text.slice(abortTextAt);
  }

  #flushAbortText(): void {
    const text = this.#abortText;
    this.#abortText = "";
    if (text !== "") this.#listener.native("stderr", text);
  }

  #killLater(isNeeded: () => boolean): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#killTimer = undefined;
      if (!isNeeded()) return;
      this.#endedBy = "interrupt";
      this.#host?.kill();
    }, this.#options.interruptGrace);
    return timer.unref();
  }

  #cancelKill(): void {
    clearTimeout(this.#killTimer);
    this.#killTimer = undefined;
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null, wasReady: boolean): void {
    const reason = this.#endedBy;
    const error = explainExit({
      code,
      signal,
      abortText: this.#abortText,
      memory: this.#memory,
      interruptGrace: this.#options.interruptGrace,
      ...(reason ? { reason } : {}),
    });
    if (!wasReady && !reason)
      error.traceback.push(
        "The notebook process exited before it was ready. Its last output:",
        this.#abortText.trim() || "(no output)",
      );
    this.#endedBy = undefined;
    this.#abortText = "";
    this.#memory = undefined;
    this.#stopping.clear();
    this.#cancelKill();
    this.#host = this.#disposed || !wasReady ? undefined : this.#start();
    this.#listener.ended(error, reason);
  }
}
