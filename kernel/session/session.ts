import { statSync } from "node:fs";
import { type GateOptions, TypeCheckGate } from "../check/type-check-gate.ts";
import { type CompiledCell, compileCell } from "../compile/cell.ts";
import type { Diagnostic } from "../compile/diagnostic.ts";
import { isLong, offThread } from "../compile/off-thread.ts";
import { type CompilerOptions, runOptions } from "../compile/tsconfig.ts";
import { isInLongWord, windowAt } from "../compile/words.ts";
import { magicIntrospector } from "../magics/inspect.ts";
import { type ReadCell, readMagics } from "../magics/rewrite.ts";
import type { Event, MemoryFigures } from "../protocol/host.ts";
import type { CellImport } from "../protocol/imports.ts";
import type { Completions, Introspector } from "../protocol/inspection.ts";
import type { CellOutcome, CommMessage, MimeBundle, Output } from "../protocol/output.ts";
import { HostCalls, HostRefusal } from "./calls.ts";
import { explainDeath, lastWordsStart } from "./death.ts";
import { type HostListener, HostProcess } from "./host-process.ts";
import { type LaunchedHost, launchHost } from "./launch.ts";
import { liveValuesIntrospector } from "./live-values.ts";
import { Queue } from "./queue.ts";
import { Recent } from "./recent.ts";

export interface SessionOptions {
  /** The notebook's folder: imports and relative paths start there. */
  cwd: string;
  /** A folder in whose `node_modules` its packages are, instead of in its own and those above. */
  packages?: string;
  /** The host's environment, instead of this process's own. */
  env?: NodeJS.ProcessEnv;
  /** Whether a cell with type errors runs, and by which compiler options it is checked. */
  types?: Pick<GateOptions, "policy" | "compilerOptions" | "patience">;
  /** Milliseconds from an interrupt to the end of a host that does not react to it. Default: 5000. */
  interruptGrace?: number;
  /** A host that was started for this folder and environment before there was a session. */
  launched?: LaunchedHost;
}

export interface InputRequest {
  prompt: string;
  /** What is typed should not be shown. */
  password: boolean;
}

export interface ExecuteOptions {
  /** Called for all that the cell says, in order; also after it ended, when work that it started says more. */
  onOutput: (output: Output) => void;
  /** Answers the cell's questions. Without it a question is an error in the cell. */
  onInput?: (request: InputRequest) => Promise<string>;
  /** Interrupts the cell, or takes it out of the queue. */
  signal?: AbortSignal;
  /** Takes no execution count and no place in the history. */
  silent?: boolean;
  /** Default: true, unless silent. */
  storeHistory?: boolean;
  /** When this cell fails, the cells that already wait are abandoned. */
  stopOnError?: boolean;
  /** Cells of one lane run one after another, lanes side by side (Jupyter's subshells). */
  lane?: string | undefined;
  /** The number that the front end shows for the cell, where it counts by itself. */
  executionCount?: number;
  /** Called for what the cell, or work that it started, sends on its comms. */
  onComm?: (message: CommMessage) => void;
  /** Called when the cell's types were checked and it begins to run. */
  onStart?: () => void;
  /** The front end's own name for the cell, the same at every run. */
  cellKey?: string | undefined;
}

/** Bytes that may wait for a host which runs a cell and does not listen. */
const MOST_UNREAD_BYTES = 64 << 20;

/** Milliseconds that a question about names waits for a busy host. */
const introspectionPatience = 1000;

interface Executed {
  executionCount: number;
  code: string;
}

/** Cells, and characters of their code. */
const MOST_KEPT = { items: 10_000, size: 32 << 20 };

const magicsModule = new URL("../magics/rewrite.js", import.meta.url).href;
const compilerModule = new URL("../compile/cell.js", import.meta.url).href;

/** A cell's script, and what it was made for. */
interface Made {
  compiled: CompiledCell;
  host: HostProcess;
  deferrals: number;
}

interface Running {
  id: number;
  /** Characters of its code, which its request holds. */
  size: number;
  onOutput: (output: Output) => void;
  onInput: ExecuteOptions["onInput"];
  onComm: ExecuteOptions["onComm"];
  settle: ((status: "ok" | "error", elapsed: number) => void) | undefined;
  started: number;
}

/** One notebook's life: cells run in order in a host process, and what they say comes back in order. */
export class Session implements AsyncDisposable {
  readonly #history = new Recent<Executed>(MOST_KEPT, ({ code }) => code.length);
  /** Called for comm messages that no cell caused. */
  onComm: ((message: CommMessage) => void) | undefined;
  /** Asked in order for what a name means; the first answer counts. */
  readonly introspectors: Introspector[] = [
    magicIntrospector,
    liveValuesIntrospector((method, params) => this.call(method, params, introspectionPatience)),
  ];
  readonly #calls = new HostCalls();
  readonly #options: {
    cwd: string;
    packages: string | undefined;
    env: NodeJS.ProcessEnv;
    compilerOptions: CompilerOptions | undefined;
    interruptGrace: number;
  };
  readonly #gate: TypeCheckGate;
  #interrupted = new AbortController();
  readonly #queue = new Queue();
  readonly #cells = new Map<number, Running>();
  /** Those of them that have ended, and may still say something. */
  #ended = new Recent<Running>(MOST_KEPT, ({ size }) => size);
  /** Imports that only types use so far. */
  readonly #deferred = new Map<string, CellImport>();
  /** How often they changed: a script made before that is out of date. */
  #deferrals = 0;
  #host: HostProcess | undefined;
  #memory: MemoryFigures | undefined;
  #executionCount = 0;
  #lastId = 0;
  #latest: Running | undefined;
  #disposed = false;
  #interrupts = 0;
  #killTimer: NodeJS.Timeout | undefined;
  #endedBy: "interrupt" | "restart" | undefined;
  /** Stderr that looks like V8's last words, until it is known whether they are. */
  #lastWords = "";

  private constructor(options: SessionOptions) {
    const { cwd, packages, env = process.env, interruptGrace = 5000 } = options;
    if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
      throw new Error(`the notebook's folder is missing: ${cwd}`);
    this.#options = { cwd, packages, env, interruptGrace, compilerOptions: options.types?.compilerOptions };
    this.#gate = new TypeCheckGate({ cwd, packages, env, ...options.types });
    const heap = this.introspectors.at(-1)!;
    const live: Introspector["inspect"] = (code, cursor, detail) => heap.inspect(code, cursor, detail);
    this.introspectors.splice(-1, 0, this.#gate.introspector(live));
    this.#host = this.#startHost(options.launched);
  }

  /** Returns at once: the host starts behind. */
  static start(options: SessionOptions): Session {
    return new Session(options);
  }

  /** What was executed last, with its count. */
  get history(): readonly Executed[] {
    return this.#history.items;
  }

  /** How many cells the history no longer holds. */
  get forgotten(): number {
    return this.#history.dropped;
  }

  get executionCount(): number {
    return this.#executionCount;
  }

  /** The host's process id, while it has one. */
  get hostPid(): number | undefined {
    return this.#host?.pid;
  }

  /** The type checker's process id, while it has one. */
  get checkerPid(): number | undefined {
    return this.#gate.checker.pid;
  }

  /** What the host was last seen to take, while cells ran. */
  get memory(): MemoryFigures | undefined {
    return this.#memory;
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

  /** Asks the host; resolves to undefined when it does not answer within `patience` milliseconds. */
  async call<T>(method: string, params: object, patience?: number): Promise<T | undefined> {
    const waiting = this.#host?.unread ?? 0;
    if (waiting > MOST_UNREAD_BYTES)
      throw new HostRefusal("Busy", `the program has not read ${waiting} bytes: it is busy`);
    return this.#calls.ask<T>((command) => this.#host?.send(command), method, params, patience);
  }

  async complete(code: string, at: number): Promise<Completions> {
    const { text, cursor, offset } = windowAt(code, at);
    if (isInLongWord(text, cursor)) return { start: at, end: at, items: [] };
    for (const each of this.introspectors) {
      const found = await each.complete(text, cursor);
      if (found) return { ...found, start: found.start + offset, end: found.end + offset };
    }
    return { start: at, end: at, items: [] };
  }

  async inspect(code: string, at: number, detail: 0 | 1): Promise<MimeBundle | undefined> {
    const { text, cursor } = windowAt(code, at);
    for (const each of this.introspectors) {
      const found = await each.inspect(text, cursor, detail);
      if (found) return found;
    }
    return undefined;
  }

  /** Stops the running cells; variables are kept, unless native code does not let go. */
  interrupt(): void {
    this.#interrupted.abort();
    this.#interrupted = new AbortController();
    const running = [...this.#cells.values()].filter((cell) => cell.settle).map((cell) => cell.id);
    this.#interruptCells(running);
  }

  /** A fresh host. Running cells end as errors, waiting ones are abandoned; history and count go on. */
  async restart(): Promise<void> {
    this.#queue.abandonWaiting();
    await this.#replaceHost();
  }

  async #replaceHost(): Promise<void> {
    const host = this.#host;
    if (host) {
      this.#endedBy = "restart";
      host.kill();
      await host.exited;
    }
    this.#host ??= this.#startHost();
  }

  /** Ends the host at once. What still waits is abandoned. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#queue.abandonWaiting();
    this.#endedBy = "restart";
    this.#host?.kill();
    await Promise.all([this.#host?.exited, this.#gate[Symbol.asyncDispose]()]);
  }

  async #run(code: string, options: ExecuteOptions): Promise<CellOutcome> {
    const counted = !options.silent && options.storeHistory !== false;
    if (counted) {
      this.#executionCount = options.executionCount ?? this.#executionCount + 1;
      this.#history.add({ executionCount: this.#executionCount, code });
    }
    const executionCount = options.executionCount ?? this.#executionCount;
    const started = performance.now();
    const id = ++this.#lastId;
    const label = `cell [${counted ? executionCount : "silent"}]`;
    const read = await (isLong(code) ? offThread<ReadCell>(magicsModule, "readMagics", code) : readMagics(code));
    if (read.reset) {
      await this.#replaceHost();
      return { status: "ok", executionCount, elapsed: performance.now() - started };
    }
    if (read.help) {
      const { name, detail } = read.help;
      const page = (await this.inspect(name, name.length, detail)) ?? { "text/plain": `Nothing is known of ${name}` };
      return { status: "ok", executionCount, elapsed: performance.now() - started, page };
    }
    if (read.types !== undefined) this.#gate.magic(read.types, options.onOutput);
    const text = read.code;
    const failed: CellOutcome = { status: "error", executionCount, elapsed: 0 };
    const name = { key: options.cellKey, label };
    let made: Made | undefined;
    if (!options.silent) {
      const interrupted = this.#interrupted.signal;
      const signal = options.signal ? AbortSignal.any([options.signal, interrupted]) : interrupted;
      const admitted = this.#gate.admit({ ...name, code: text, source: code, signal, onOutput: options.onOutput });
      // While the checker reads it.
      const compiling = this.#compile(text, id);
      compiling.catch(() => {});
      if (!(await admitted)) return { ...failed, elapsed: performance.now() - started };
      made = await compiling;
    }
    while (made?.host !== this.#host || made?.deferrals !== this.#deferrals) made = await this.#compile(text, id);
    const { compiled, host } = made;
    if (!compiled.ok) {
      options.onOutput(syntaxError(label, compiled.diagnostics));
      return { ...failed, elapsed: performance.now() - started };
    }
    options.onStart?.();
    host.send({ type: "execute", cell: id, label, script: compiled.script, maps: compiled.maps, source: code });
    // The checker is told while the host runs the cell, which says nothing before this turn ends.
    const typed = this.#gate.begin(text, name);
    if (compiled.declared.size > 0 || compiled.deferred.size > 0) this.#deferrals++;
    for (const name of compiled.declared) this.#deferred.delete(name);
    for (const [name, each] of compiled.deferred) this.#deferred.set(name, each);
    const { promise, resolve } = withResolvers<CellOutcome>();
    const onAbort = () => this.#interruptCells([id]);
    const cell: Running = {
      id,
      size: code.length,
      onOutput: options.onOutput,
      onInput: options.onInput,
      onComm: options.onComm,
      started,
      settle: (status, elapsed) => {
        cell.settle = undefined;
        // What an older one still says goes to the cell that ran last.
        for (const { id } of this.#ended.add(cell)) this.#cells.delete(id);
        this.#gate.end(typed, status === "ok");
        options.signal?.removeEventListener("abort", onAbort);
        resolve({ status, executionCount, elapsed });
      },
    };
    this.#cells.set(id, cell);
    this.#latest = cell;
    options.signal?.addEventListener("abort", onAbort, { once: true });
    return promise;
  }

  async #compile(text: string, cell: number): Promise<Made> {
    this.#host ??= this.#startHost();
    const host = this.#host;
    const deferrals = this.#deferrals;
    const run = runOptions(this.#options.cwd, this.#options.compilerOptions);
    const options = { cell, host: host.hostName, deferred: this.#deferred, run };
    const compiled = isLong(text)
      ? await offThread<CompiledCell>(compilerModule, "compileCell", text, options)
      : compileCell(text, options);
    return { compiled, host, deferrals };
  }

  #interruptCells(cells: number[]): void {
    if (!this.#host) return;
    this.#host.tellGuard({ type: "interrupt", request: ++this.#interrupts, cells });
    this.#killTimer ??= setTimeout(() => {
      this.#endedBy = "interrupt";
      this.#host?.kill();
    }, this.#options.interruptGrace).unref();
  }

  #startHost(launched: LaunchedHost = launchHost(this.#options)): HostProcess {
    const listener: HostListener = {
      event: (event) => this.#onEvent(event),
      stream: (cell, name, text) => this.#toldTo(cell)?.onOutput({ type: "stream", name, text }),
      native: (name, text) => this.#onNative(name, text),
      guard: (event) => {
        if (event.type === "memory") this.#memory = event.memory;
        else if (event.request >= this.#interrupts) this.#forgetKill();
      },
      exit: (code, signal, wasReady) => this.#onExit(code, signal, wasReady),
    };
    return new HostProcess(launched, listener);
  }

  #toldTo(cell: number): Running | undefined {
    return this.#cells.get(cell) ?? this.#latest;
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case "ready":
        this.#gate.warm();
        this.#flushLastWords();
        break;
      case "output":
        this.#toldTo(event.cell)?.onOutput(this.#withHint(event.output));
        break;
      case "done":
        this.#flushLastWords();
        this.#cells.get(event.cell)?.settle?.(event.status, event.elapsed);
        break;
      case "missing":
        this.#deferrals++;
        for (const each of event.imports) this.#deferred.set(each.names[0]!.local, each);
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
    }
  }

  async #answer({ cell, request, prompt, password }: Extract<Event, { type: "input" }>): Promise<void> {
    const host = this.#host;
    const ask = this.#cells.get(cell)?.onInput;
    let answer: { text: string } | { refusal: string };
    try {
      answer = ask
        ? { text: await ask({ prompt, password }) }
        : { refusal: "input() needs a front end that can ask; this one cannot" };
    } catch (error) {
      answer = { refusal: error instanceof Error ? error.message : String(error) };
    }
    if (host === this.#host) host?.send({ type: "input", request, ...answer });
  }

  /** An error of a name that has no value says which cell would have given it one, as a type error does. */
  #withHint(output: Output): Output {
    if (output.type !== "error" || !/^(?:Reference|Type)Error$/.test(output.ename)) return output;
    const name =
      /^(?:Cannot access ')?([\p{ID_Continue}$]{1,200})(?:' before init| is not (?:defined|a function|a constructor))/u.exec(
        output.evalue,
      )?.[1];
    const why = name === undefined ? undefined : this.#gate.checker.whyUndefined(name);
    if (why === undefined) return output;
    const [headline = "", ...rest] = output.traceback;
    return { ...output, traceback: [headline, `  ${why}`, ...rest] };
  }

  #onNative(name: "stdout" | "stderr", text: string): void {
    // Before it is ready, what it says may be why it never will be.
    const held = !this.#host?.isReady || (name === "stderr" && this.#lastWords !== "");
    const lastWordsAt = held ? 0 : name === "stderr" ? text.search(lastWordsStart) : -1;
    const before = lastWordsAt === -1 ? text : text.slice(0, lastWordsAt);
    if (before !== "") this.#latest?.onOutput({ type: "stream", name, text: before });
    if (lastWordsAt !== -1) this.#lastWords += text.slice(lastWordsAt);
  }

  #flushLastWords(): void {
    const text = this.#lastWords;
    this.#lastWords = "";
    if (text !== "") this.#latest?.onOutput({ type: "stream", name: "stderr", text });
  }

  #forgetKill(): void {
    clearTimeout(this.#killTimer);
    this.#killTimer = undefined;
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null, wasReady: boolean): void {
    const error = explainDeath({
      code,
      signal,
      lastWords: this.#lastWords,
      memory: this.#memory,
      interruptGrace: this.#options.interruptGrace,
      ...(this.#endedBy ? { reason: this.#endedBy } : {}),
    });
    if (!wasReady && !this.#endedBy) error.traceback.push("It never came up.", this.#lastWords.trim());
    this.#calls.drop();
    const restarted = this.#endedBy === "restart";
    this.#endedBy = undefined;
    this.#lastWords = "";
    this.#memory = undefined;
    this.#forgetKill();
    this.#deferred.clear();
    this.#deferrals++;
    this.#gate.checker.reset();
    this.#host = this.#disposed || !wasReady ? undefined : this.#startHost();
    const ended = [...this.#cells.values()].filter((cell) => cell.settle);
    if (ended.length === 0 && !restarted) this.#latest?.onOutput(error);
    for (const cell of ended) {
      cell.onOutput(error);
      cell.settle?.("error", performance.now() - cell.started);
    }
    this.#cells.clear();
    this.#ended = new Recent(MOST_KEPT, ({ size }) => size);
    this.#latest = undefined;
  }
}

function syntaxError(label: string, diagnostics: Diagnostic[]): Output {
  const first = diagnostics[0]!;
  const evalue = `${first.message} (${label}:${first.line}:${first.column})`;
  const traceback = diagnostics.slice(0, 5).flatMap((each) => {
    const place = `    at ${label}:${each.line}:${each.column}`;
    return [`SyntaxError: ${each.message}`, "", each.frame, "", place];
  });
  return { type: "error", ename: "SyntaxError", evalue, traceback };
}

function withResolvers<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
