import { statSync } from "node:fs";
import { usesDeno } from "../check/order/references.ts";
import { TypeCheckGate } from "../check/type-check-gate.ts";
import { isLong, offThread } from "../compile/off-thread.ts";
import { magicIntrospector } from "../magics/inspect.ts";
import { type ReadCell, readMagics } from "../magics/rewrite.ts";
import { cellUrl } from "../protocol/cell-url.ts";
import type { Event, MemoryFigures } from "../protocol/host.ts";
import type { Completions, Introspector } from "../protocol/inspection.ts";
import type { CellOutcome, CommMessage, MimeBundle } from "../protocol/output.ts";
import { ownPackagesFolder } from "../protocol/own-packages.ts";
import { HostCalls, HostRefusal } from "./calls.ts";
import { withReason } from "./cell-errors.ts";
import type { AttachedDebugger, CellScript } from "./debugging.ts";
import { HostLifecycle } from "./host-lifecycle.ts";
import { HostInspector, type InspectorEvent } from "./inspector.ts";
import { Introspection } from "./introspection.ts";
import { liveValuesIntrospector } from "./live-values.ts";
import type { ExecuteOptions, SessionOptions } from "./options.ts";
import { OwnPackages } from "./packages/own-packages.ts";
import { Queue } from "./queue.ts";
import { Recent } from "./recent.ts";
import { CellRunner } from "./run-cell.ts";
import { RunningCells } from "./running-cells.ts";
import { StaleCells } from "./stale.ts";

/** Bytes that may wait for a host which runs a cell and does not listen. */
const MOST_UNREAD_BYTES = 64 << 20;

/** Milliseconds that a question about names waits for a busy host. */
const introspectionPatience = 1000;

/** Cells, and characters of their code. */
const MOST_KEPT = { items: 10_000, size: 32 << 20 };

const noScripts = () => new Recent<CellScript>(MOST_KEPT, ({ source, script }) => source.length + script.length);

const magicsModule = new URL("../magics/rewrite.js", import.meta.url).href;

interface Executed {
  executionCount: number;
  code: string;
}

/** One notebook's life: cells run in order in a host process, and their outputs come back in order. */
export class Session implements AsyncDisposable {
  /** Called for comm messages that no cell caused. */
  onComm: ((message: CommMessage) => void) | undefined;
  /** Set while a debugger is attached. */
  debugger: AttachedDebugger | undefined;
  readonly #introspection: Introspection;
  readonly #executed = new Recent<Executed>(MOST_KEPT, ({ code }) => code.length);
  readonly #calls = new HostCalls();
  readonly #queue = new Queue();
  readonly #cells = new RunningCells(MOST_KEPT);
  #scripts = noScripts();
  #inspector: HostInspector | undefined;
  readonly #stale: StaleCells;
  readonly #packages: OwnPackages;
  readonly #gate: TypeCheckGate;
  readonly #hosts: HostLifecycle;
  readonly #runner: CellRunner;
  #interrupted = new AbortController();
  #executionCount = 0;
  #lastId = 0;
  #disposed = false;

  private constructor(options: SessionOptions) {
    const { cwd, packages, env = process.env, interruptGrace = 5000, types, inspect = false } = options;
    if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
      throw new Error(`the notebook's folder does not exist: ${cwd}`);
    this.#stale = new StaleCells(env, (cell) => this.#runner.run(cell));
    const own = ownPackagesFolder(cwd, env);
    this.#packages = new OwnPackages(own, packages, env, () => this.#gate.checker.packagesChanged());
    this.#gate = new TypeCheckGate({ cwd, packages, env, ...types });
    const live = liveValuesIntrospector((method, params) => this.call(method, params, introspectionPatience));
    this.#introspection = new Introspection([magicIntrospector, this.#gate.introspector(live.inspect), live]);
    this.#hosts = new HostLifecycle(
      { cwd, packages, env, interruptGrace, inspect },
      {
        event: (event) => this.#onEvent(event),
        stream: (cell, name, text) => this.#cells.receiverOf(cell)?.onOutput({ type: "stream", name, text }),
        native: (name, text) => this.#cells.latest?.onOutput({ type: "stream", name, text }),
        debug: (message) => this.#inspector?.receive(message),
        ended: (error, reason) => {
          this.#calls.drop();
          this.#runner.reset();
          this.#gate.checker.reset();
          this.#stale.clear();
          this.#cells.fail(error, reason === "restart");
          this.#scripts = noScripts();
          this.#inspector?.close();
          this.debugger?.hostEnded();
        },
      },
      options.launched,
    );
    this.#runner = new CellRunner(
      { folder: cwd, compilerOptions: types?.compilerOptions, inspected: inspect },
      { hosts: this.#hosts, gate: this.#gate, cells: this.#cells },
      (cell, onOutput) => {
        this.#scripts.add(cell);
        return this.debugger?.beforeCell(cell, onOutput);
      },
    );
    this.#runner.isForDeno = options.isForDeno === true;
  }

  /** Returns at once: the host starts in the background. */
  static start(options: SessionOptions): Session {
    return new Session(options);
  }

  /** Asked in order for what a name means. */
  get introspectors(): readonly Introspector[] {
    return this.#introspection.introspectors;
  }

  /** The cells that were executed last, with their counts. */
  get executedCells(): readonly Executed[] {
    return this.#executed.items;
  }

  /** The cells that the present host was sent last, in order. */
  get scripts(): readonly CellScript[] {
    return this.#scripts.items;
  }

  /** Connects to V8's inspector in the host, in place of an earlier connection. */
  openInspector(onEvent: (event: InspectorEvent) => void): HostInspector {
    this.#inspector?.detach();
    const host = this.#hosts.require();
    this.#inspector = new HostInspector(host.hostName, (command) => host.debug(command), onEvent);
    return this.#inspector;
  }

  /**
   * Opens V8's inspector on a port of this machine, and waits until a debugger has attached. It is shown these cells, which will run
   * in this order. Because debuggers then let the program run at once, it stops again before the next cell's first statement.
   */
  async waitForInspector(onUrl: (url: string) => void, cells: readonly string[] = []): Promise<void> {
    const url = await this.call<string>("openInspector", {});
    if (url === undefined) throw new Error("the notebook's process ended before a debugger could attach");
    onUrl(url);
    await this.call("isAttached", {});
    for (const [at, source] of cells.entries()) {
      const id = this.#lastId + 1 + at;
      const label = `cell [${this.#executionCount + 1 + at}]`;
      const script = await this.#runner.preview({ id, label, code: readMagics(source).code });
      if (script !== undefined) await this.call("showScript", { script, url: cellUrl(id) });
    }
    this.#runner.stopsNext = true;
  }

  /** Whether cells run that have not ended. */
  get isRunning(): boolean {
    return this.#cells.unsettled.length > 0;
  }

  get executionCount(): number {
    return this.#executionCount;
  }

  /** The host's process id, while it has one. */
  get hostPid(): number | undefined {
    return this.#hosts.current?.pid;
  }

  /** The type checker's process id, while it has one. */
  get checkerPid(): number | undefined {
    return this.#gate.checker.pid;
  }

  /** The host's memory, as it was last reported while cells ran. */
  get memory(): MemoryFigures | undefined {
    return this.#hosts.memory;
  }

  execute(code: string, options: ExecuteOptions): Promise<CellOutcome> {
    return this.#queue.add(options.lane ?? "main", async (abandoned) => {
      if (abandoned || this.#disposed || options.signal?.aborted)
        return { status: "abandoned", executionCount: this.#executionCount, elapsed: 0 };
      const outcome = await this.#run(code, options);
      if (outcome.status === "error" && options.stopOnError) this.#queue.abandonWaiting();
      return outcome;
    });
  }

  /** Asks the host; resolves to undefined when it does not answer within `patience` milliseconds, or a debugger has stopped it. */
  async call<T>(method: string, params: object, patience?: number): Promise<T | undefined> {
    if (this.debugger?.isStopped && patience !== undefined) return undefined;
    const unread = this.#hosts.current?.unread ?? 0;
    if (unread > MOST_UNREAD_BYTES)
      throw new HostRefusal("Busy", `the program is busy: it has ${unread} bytes of messages still to read`);
    return this.#calls.ask<T>((command) => this.#hosts.current?.send(command), method, params, patience);
  }

  complete(code: string, at: number): Promise<Completions> {
    return this.#introspection.complete(code, at);
  }

  inspect(code: string, at: number, detail: 0 | 1): Promise<MimeBundle | undefined> {
    return this.#introspection.inspect(code, at, detail);
  }

  /** Interrupts the running cells. Variables are kept, unless native code does not return. */
  interrupt(): void {
    this.#interrupted.abort();
    this.#interrupted = new AbortController();
    this.debugger?.interrupted();
    this.#hosts.interrupt(this.#cells.unsettled);
  }

  /** A fresh host. Running cells end as errors, waiting ones are abandoned; history and count go on. */
  async restart(): Promise<void> {
    this.#queue.abandonWaiting();
    await this.#hosts.replace();
  }

  /** Ends the host at once. Cells that still wait are abandoned. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.debugger = undefined;
    this.#queue.abandonWaiting();
    await Promise.all([this.#hosts[Symbol.asyncDispose](), this.#gate[Symbol.asyncDispose]()]);
  }

  async #run(source: string, options: ExecuteOptions): Promise<CellOutcome> {
    const counted = !options.silent && options.storeHistory !== false;
    if (counted) {
      this.#executionCount = options.executionCount ?? this.#executionCount + 1;
      this.#executed.add({ executionCount: this.#executionCount, code: source });
    }
    const executionCount = options.executionCount ?? this.#executionCount;
    const started = performance.now();
    const id = ++this.#lastId;
    const label = `cell [${counted ? executionCount : "silent"}]`;
    const read = await (isLong(source) ? offThread<ReadCell>(magicsModule, "readMagics", source) : readMagics(source));
    if (read.session) {
      const status = await this.#answerMagic(read.session, options);
      return { status, executionCount, elapsed: performance.now() - started };
    }
    if (read.help) {
      const page = await this.#introspection.help(read.help);
      return { status: "ok", executionCount, elapsed: performance.now() - started, page };
    }
    const interrupted = this.#interrupted.signal;
    if (read.install) {
      const signal = options.signal ? AbortSignal.any([options.signal, interrupted]) : interrupted;
      if (!(await this.#packages.install(read.install, options.onOutput, signal)))
        return { status: "error", executionCount, elapsed: performance.now() - started };
    }
    if (!this.#runner.isForDeno && usesDeno(read.code)) {
      this.#runner.isForDeno = true;
      this.#gate.startDeno(options.onOutput);
    }
    if (read.types !== undefined) this.#gate.magic(read.types, options.onOutput);
    const cell = { id, label, source, code: read.code, started, options, interrupted };
    const end = await (counted ? this.#stale.run(cell) : this.#runner.run(cell));
    return { ...end, executionCount };
  }

  async #answerMagic(
    { name, argument }: NonNullable<ReadCell["session"]>,
    options: ExecuteOptions,
  ): Promise<"ok" | "error"> {
    if (name === "%reset") await this.#hosts.replace();
    else if (name === "%stale") this.#stale.list(argument, options.onOutput);
    else {
      const interrupted = this.#interrupted.signal;
      return this.#stale.rerun(
        argument,
        (cell) => ({ ...cell, id: ++this.#lastId, started: performance.now(), interrupted }),
        options,
      );
    }
    return "ok";
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case "ready":
        this.#gate.warm();
        break;
      case "output": {
        const output = withReason(event.output, (name) => this.#gate.checker.whyUndefined(name));
        this.#cells.receiverOf(event.cell)?.onOutput(output);
        break;
      }
      case "done":
        this.#cells.get(event.cell)?.settle?.(event.status, event.elapsed);
        break;
      case "missing":
        this.#runner.defer(event.imports);
        break;
      case "comm":
        (this.#cells.get(event.cell)?.onComm ?? this.onComm)?.(event.message);
        break;
      case "answer":
      case "refused":
        this.#calls.settle(event);
        break;
      case "input":
        void this.#answer(event);
        break;
      case "logged":
        this.debugger?.logged(event.point, event.text);
        break;
      case "stopped":
        this.debugger?.wroteBefore(event.stop);
        break;
    }
  }

  async #answer({ cell, request, prompt, password, waits }: Extract<Event, { type: "input" }>): Promise<void> {
    const host = this.#hosts.current;
    const onInput = this.#cells.get(cell)?.onInput;
    let answer: { text: string } | { refusal: string };
    try {
      answer = onInput
        ? { text: await onInput({ prompt, password }) }
        : { refusal: "this front end cannot ask for input, which the cell needs" };
    } catch (error) {
      answer = { refusal: error instanceof Error ? error.message : String(error) };
    }
    if (host !== this.#hosts.current) return;
    if (waits) host?.tellGuard({ type: "input", request, ...answer });
    else host?.send({ type: "input", request, ...answer });
  }
}
