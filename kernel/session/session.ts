import { compileCell } from "../compile/cell.ts";
import type { Diagnostic } from "../compile/diagnostic.ts";
import type { CellImport } from "../compile/imports.ts";
import type { Event } from "../host/protocol.ts";
import { HostCalls } from "./calls.ts";
import { heapIntrospector } from "./heap.ts";
import { type HostListener, HostProcess } from "./host-process.ts";
import type { Completions, Introspector } from "./introspection.ts";
import type { CellOutcome, CommMessage, MimeBundle, Output } from "./output.ts";

export interface SessionOptions {
  /** The notebook's folder: imports and relative paths start there. */
  cwd: string;
  env?: NodeJS.ProcessEnv;
}

export interface ExecuteOptions {
  /** Called for all that the cell says, in order; also after it ended, when work that it started says more. */
  onOutput: (output: Output) => void;
  /** Interrupts the cell, or takes it out of the queue. */
  signal?: AbortSignal;
  /** Takes no execution count. */
  silent?: boolean;
  /** The number that the front end shows for the cell, where it counts by itself. */
  executionCount?: number;
  /** Cells of one lane run one after another; lanes run beside one another. */
  lane?: string | undefined;
  /** Called for what the cell, or work that it started, sends on its comms. */
  onComm?: (message: CommMessage) => void;
}

/** Milliseconds that a question about names waits for a busy host. */
const introspectionPatience = 1000;

interface Running {
  id: number;
  executionCount: number;
  onOutput: (output: Output) => void;
  onComm: ((message: CommMessage) => void) | undefined;
  settle: ((status: "ok" | "error", elapsed: number) => void) | undefined;
}

/** One notebook's life: cells run in order in a host process, and what they say comes back in order. */
export class Session implements AsyncDisposable {
  readonly #options: { cwd: string; env: NodeJS.ProcessEnv };
  #host: HostProcess;
  #executionCount = 0;
  #lastCell = 0;
  readonly #lanes = new Map<string, Promise<unknown>>();
  readonly #calls = new HostCalls();
  /** Called for comm messages that no cell caused. */
  onComm: ((message: CommMessage) => void) | undefined;
  /** Asked in order for what a name means; the first answer counts. */
  readonly introspectors: Introspector[] = [
    heapIntrospector((method, params) => this.call(method, params, introspectionPatience)),
  ];
  #disposed = false;
  readonly #cells = new Map<number, Running>();
  readonly #deferred = new Map<string, CellImport>();
  #current: Running | undefined;

  private constructor(options: SessionOptions) {
    this.#options = { cwd: options.cwd, env: options.env ?? process.env };
    this.#host = this.#startHost();
  }

  /** Returns at once: the host starts behind. */
  static start(options: SessionOptions): Session {
    return new Session(options);
  }

  execute(code: string, options: ExecuteOptions): Promise<CellOutcome> {
    const lane = options.lane ?? "";
    const turn = (this.#lanes.get(lane) ?? Promise.resolve()).then(() => this.#run(code, options));
    const settled = turn.catch(() => {});
    this.#lanes.set(lane, settled);
    return turn;
  }

  /** Asks the host; resolves to undefined when it does not answer within `patience` milliseconds. */
  call<T>(method: string, params: object, patience?: number): Promise<T | undefined> {
    return this.#calls.ask<T>((command) => this.#host.send(command), method, params, patience);
  }

  async complete(code: string, cursor: number): Promise<Completions> {
    for (const each of this.introspectors) {
      const found = await each.complete(code, cursor);
      if (found) return found;
    }
    return { start: cursor, end: cursor, items: [] };
  }

  async inspect(code: string, cursor: number, detail: 0 | 1): Promise<MimeBundle | undefined> {
    for (const each of this.introspectors) {
      const found = await each.inspect(code, cursor, detail);
      if (found) return found;
    }
    return undefined;
  }

  /** Stops the running cells; variables are kept. */
  interrupt(): void {
    this.#host.tellGuard({ type: "interrupt" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#host.kill();
    await this.#host.exited;
  }

  async #run(code: string, options: ExecuteOptions): Promise<CellOutcome> {
    if (!options.silent) this.#executionCount++;
    const executionCount = options.executionCount ?? this.#executionCount;
    const started = performance.now();
    const id = ++this.#lastCell;
    const label = `cell [${options.silent ? "silent" : executionCount}]`;
    const compiled = compileCell(code, { cell: id, host: this.#host.hostName, deferred: this.#deferred });
    if (!compiled.ok) {
      options.onOutput(syntaxError(label, compiled.diagnostics));
      return { status: "error", executionCount, elapsed: performance.now() - started };
    }
    for (const name of compiled.declared) this.#deferred.delete(name);
    for (const [name, each] of compiled.deferred) this.#deferred.set(name, each);
    const outcome = await new Promise<CellOutcome>((resolve) => {
      const cell: Running = {
        id,
        executionCount,
        onOutput: options.onOutput,
        onComm: options.onComm,
        settle: (status, elapsed) => {
          cell.settle = undefined;
          resolve({ status, executionCount, elapsed });
        },
      };
      this.#cells.set(id, cell);
      this.#current = cell;
      options.signal?.addEventListener("abort", () => this.interrupt(), { once: true });
      this.#host.send({ type: "execute", cell: id, label, script: compiled.script, maps: compiled.maps, source: code });
    });
    return outcome;
  }

  #startHost(): HostProcess {
    const listener: HostListener = {
      event: (event) => this.#onEvent(event),
      stream: (cell, name, text) => this.#cells.get(cell)?.onOutput({ type: "stream", name, text }),
      native: (name, text) => this.#current?.onOutput({ type: "stream", name, text }),
      guard: () => {},
      exit: () => this.#onExit(),
    };
    return new HostProcess(this.#options, listener);
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case "output":
        this.#cells.get(event.cell)?.onOutput(event.output);
        break;
      case "done":
        this.#cells.get(event.cell)?.settle?.(event.status, event.elapsed);
        break;
      case "comm":
        (this.#cells.get(event.cell)?.onComm ?? this.onComm)?.(event.message);
        break;
      case "answer":
      case "refused":
        this.#calls.settle(event);
        break;
      case "missing":
        for (const each of event.imports) this.#deferred.set(each.names[0]!.local, each);
        break;
    }
  }

  #onExit(): void {
    this.#calls.drop();
    if (this.#disposed) return;
    this.#host = this.#startHost();
    for (const cell of this.#cells.values()) {
      if (!cell.settle) continue;
      const evalue = "the host process ended; all variables are lost, a fresh one is ready";
      cell.onOutput({ type: "error", ename: "HostDied", evalue, traceback: [`HostDied: ${evalue}`] });
      cell.settle("error", 0);
    }
  }
}

function syntaxError(label: string, diagnostics: Diagnostic[]): Output {
  const first = diagnostics[0]!;
  const evalue = `${first.message} (${label}:${first.line}:${first.column})`;
  const traceback = diagnostics
    .slice(0, 5)
    .flatMap((each) => [
      `SyntaxError: ${each.message}`,
      "",
      each.frame,
      "",
      `    at ${label}:${each.line}:${each.column}`,
    ]);
  return { type: "error", ename: "SyntaxError", evalue, traceback };
}
