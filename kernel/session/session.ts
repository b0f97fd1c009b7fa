import { statSync } from "node:fs";
import { TypeCheckGate } from "../check/type-check-gate.ts";
import { isLong, offThread } from "../compile/off-thread.ts";
import { isInLongWord, windowAt } from "../compile/words.ts";
import { magicIntrospector } from "../magics/inspect.ts";
import { type ReadCell, readMagics } from "../magics/rewrite.ts";
import type { Event, MemoryFigures } from "../protocol/host.ts";
import type { Completions, Introspector } from "../protocol/inspection.ts";
import type { CellOutcome, CommMessage, MimeBundle } from "../protocol/output.ts";
import { HostCalls, HostRefusal } from "./calls.ts";
import { withReason } from "./cell-errors.ts";
import { HostLifecycle } from "./host-lifecycle.ts";
import { liveValuesIntrospector } from "./live-values.ts";
import type { ExecuteOptions, SessionOptions } from "./options.ts";
import { Queue } from "./queue.ts";
import { Recent } from "./recent.ts";
import { CellRunner } from "./run-cell.ts";
import { RunningCells } from "./running-cells.ts";

/** Bytes that may wait for a host which runs a cell and does not listen. */
const MOST_UNREAD_BYTES = 64 << 20;

/** Milliseconds that a question about names waits for a busy host. */
const introspectionPatience = 1000;

/** Cells, and characters of their code. */
const MOST_KEPT = { items: 10_000, size: 32 << 20 };

const magicsModule = new URL("../magics/rewrite.js", import.meta.url).href;

interface Executed {
  executionCount: number;
  code: string;
}

/** One notebook's life: cells run in order in a host process, and their outputs come back in order. */
export class Session implements AsyncDisposable {
  /** Called for comm messages that no cell caused. */
  onComm: ((message: CommMessage) => void) | undefined;
  /** Asked in order for what a name means; the first answer counts. */
  readonly introspectors: readonly Introspector[];
  readonly #executed = new Recent<Executed>(MOST_KEPT, ({ code }) => code.length);
  readonly #calls = new HostCalls();
  readonly #queue = new Queue();
  readonly #cells = new RunningCells(MOST_KEPT);
  readonly #gate: TypeCheckGate;
  readonly #hosts: HostLifecycle;
  readonly #runner: CellRunner;
  #interrupted = new AbortController();
  #executionCount = 0;
  #lastId = 0;
  #disposed = false;

  private constructor(options: SessionOptions) {
    const { cwd, packages, env = process.env, interruptGrace = 5000, types } = options;
    if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
      throw new Error(`the notebook's folder does not exist: ${cwd}`);
    this.#gate = new TypeCheckGate({ cwd, packages, env, ...types });
    const live = liveValuesIntrospector((method, params) => this.call(method, params, introspectionPatience));
    this.introspectors = [magicIntrospector, this.#gate.introspector(live.inspect), live];
    this.#hosts = new HostLifecycle(
      { cwd, packages, env, interruptGrace },
      {
        event: (event) => this.#onEvent(event),
        stream: (cell, name, text) => this.#cells.receiverOf(cell)?.onOutput({ type: "stream", name, text }),
        native: (name, text) => this.#cells.latest?.onOutput({ type: "stream", name, text }),
        ended: (error, reason) => {
          this.#calls.drop();
          this.#runner.reset();
          this.#gate.checker.reset();
          this.#cells.fail(error, reason === "restart");
        },
      },
      options.launched,
    );
    this.#runner = new CellRunner(
      { folder: cwd, compilerOptions: types?.compilerOptions },
      { hosts: this.#hosts, gate: this.#gate, cells: this.#cells },
    );
  }

  /** Returns at once: the host starts in the background. */
  static start(options: SessionOptions): Session {
    return new Session(options);
  }

  /** The cells that were executed last, with their counts. */
  get executedCells(): readonly Executed[] {
    return this.#executed.items;
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

  /** Asks the host; resolves to undefined when it does not answer within `patience` milliseconds. */
  async call<T>(method: string, params: object, patience?: number): Promise<T | undefined> {
    const unread = this.#hosts.current?.unread ?? 0;
    if (unread > MOST_UNREAD_BYTES)
      throw new HostRefusal("Busy", `the program is busy: it has ${unread} bytes of messages still to read`);
    return this.#calls.ask<T>((command) => this.#hosts.current?.send(command), method, params, patience);
  }

  async complete(code: string, at: number): Promise<Completions> {
    const { text, cursor, offset } = windowAt(code, at);
    if (isInLongWord(text, cursor)) return { start: at, end: at, items: [] };
    for (const introspector of this.introspectors) {
      const found = await introspector.complete(text, cursor);
      if (found) return { ...found, start: found.start + offset, end: found.end + offset };
    }
    return { start: at, end: at, items: [] };
  }

  async inspect(code: string, at: number, detail: 0 | 1): Promise<MimeBundle | undefined> {
    const { text, cursor } = windowAt(code, at);
    for (const introspector of this.introspectors) {
      const found = await introspector.inspect(text, cursor, detail);
      if (found) return found;
    }
    return undefined;
  }

  /** Interrupts the running cells. Variables are kept, unless native code does not return. */
  interrupt(): void {
    this.#interrupted.abort();
    this.#interrupted = new AbortController();
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
    if (read.reset) {
      await this.#hosts.replace();
      return { status: "ok", executionCount, elapsed: performance.now() - started };
    }
    if (read.help) {
      const page = await this.#help(read.help);
      return { status: "ok", executionCount, elapsed: performance.now() - started, page };
    }
    if (read.types !== undefined) this.#gate.magic(read.types, options.onOutput);
    const interrupted = this.#interrupted.signal;
    const end = await this.#runner.run({ id, label, source, code: read.code, started, options, interrupted });
    return { ...end, executionCount };
  }

  async #help({ name, detail }: { name: string; detail: 0 | 1 }): Promise<MimeBundle> {
    const page = await this.inspect(name, name.length, detail);
    return page ?? { "text/plain": `No documentation found for \`${name}\`.` };
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
    }
  }

  async #answer({ cell, request, prompt, password }: Extract<Event, { type: "input" }>): Promise<void> {
    const host = this.#hosts.current;
    const onInput = this.#cells.get(cell)?.onInput;
    let answer: { text: string } | { refusal: string };
    try {
      answer = onInput
        ? { text: await onInput({ prompt, password }) }
        : { refusal: "this front end cannot ask for input, which input() needs" };
    } catch (error) {
      answer = { refusal: error instanceof Error ? error.message : String(error) };
    }
    if (host === this.#hosts.current) host?.send({ type: "input", request, ...answer });
  }
}
