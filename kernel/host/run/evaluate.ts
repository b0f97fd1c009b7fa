import process from "node:process";
import { types } from "node:util";
import type { Command } from "../../protocol/host.ts";
import type { Output } from "../../protocol/output.ts";
import { describeInterrupt, describeSafely } from "../errors/errors.ts";
import { containBy, describeLateBy, reportLate } from "../errors/late.ts";
import { cellUrl, forgetCells, nameCell, type Place, placeInScript } from "../errors/stack.ts";
import { encodeEvent, mark, sendEncoded, sendEvent, together, uninterrupted } from "../io/output-buffer.ts";
import type { Loader } from "../load/load.ts";
import { apply, defineProperty, includes, inherits, intrinsics, now } from "../primordials.ts";
import { render } from "../render/value.ts";
import { clearAsyncIds } from "./async-ids.ts";
import { addCell, currentCell, type HostCell, runInCell, startedBy } from "./cells.ts";
import { installExit } from "./exit.ts";
import { Inspector, type Reply, type Thrown } from "./inspector.ts";
import { Interrupts } from "./interrupts.ts";
import { isInterrupt, KeyboardInterrupt, stopIfInterrupted } from "./keyboard-interrupt.ts";
import { markLibrary } from "./library.ts";
import { type Shared, slots } from "./shared.ts";

type ErrorOutput = Extract<Output, { type: "error" }>;
type Execute = Extract<Command, { type: "execute" }>;
const lateEvents = ["uncaughtException", "unhandledRejection"] as const;
const { on, listeners } = process;
const addShared = Atomics.add;
/** Ends a script whose failure is known. */
const failed = Object.freeze({ __proto__: null });
const stoppedWhileShown: ErrorOutput = {
  type: "error",
  ename: "KeyboardInterrupt",
  evalue: "the cell was interrupted while its error was shown",
  traceback: ["KeyboardInterrupt: the cell was interrupted while its error was shown; variables are kept"],
};

/** Runs cells on this thread, each by V8's REPL mode, and says how each ended. */
export class Evaluator {
  readonly #inspector: Inspector;
  readonly #shared: Shared;
  readonly #interrupts: Interrupts;
  /** The cell whose script V8 runs, or whose error is shown. */
  #evaluating: HostCell | undefined;

  constructor(hostName: string, loader: Loader, shared: Shared) {
    this.#shared = shared;
    this.#inspector = new Inspector(hostName);
    this.#interrupts = new Interrupts(shared, {
      end: (cell) => this.#interrupted(cell),
      evaluating: () => this.#evaluating,
    });
    describeLateBy((cell, error) => {
      const output = this.#describe(cell, error);
      return output === stoppedWhileShown && cell.interrupted ? undefined : output;
    });
    containBy((cell, action) => this.#contain(cell, action));
    installExit(shared, this.#inspector.disconnect);
    const doors = {
      value: (id: number, value: unknown) => {
        const cell = currentCell();
        if (cell?.id === id) cell.value = { of: value };
      },
      sync: (body: () => unknown) => this.#runSync(body),
      run: (id: number, body: () => Promise<void>) => this.#runAsync(id, body),
      waits: (line: number, column: number, value: unknown) => {
        const cell = startedBy();
        if (cell) cell.waitsAt = { line, column };
        return value;
      },
      awaited: stopIfInterrupted,
      clearAsyncIds,
      ...this.#inspector.functions,
      load: loader.load.bind(loader),
      dynamic: loader.dynamic.bind(loader),
      meta: loader.meta,
      interrupt: this.#interrupts.ask,
    };
    defineProperty(globalThis, hostName, { value: Object.freeze(doors), enumerable: false });
    // Long work in libraries may call this between its steps.
    defineProperty(globalThis, Symbol.for("halftone.stopIfInterrupted"), {
      value: stopIfInterrupted,
      enumerable: false,
    });
    this.#listen();
  }

  /** Node ends a process whose errors nobody listens to; a cell may have taken all listeners away. */
  #listen(): void {
    for (let index = 0; index < lateEvents.length; index++) {
      const event = lateEvents[index]!;
      if (!includes(apply(listeners, process, [event]) as unknown[], this.#late))
        apply(on, process, [event, this.#late]);
    }
  }

  execute({ cell: id, label, script, maps, source }: Execute): void {
    this.#absorb();
    this.#interrupts.settle();
    const cell: HostCell = {
      id,
      label,
      source,
      maps,
      started: now(),
      settled: false,
      interrupted: false,
      asked: 0,
      thrown: undefined,
      interrupt: undefined,
      waitsAt: undefined,
      mark: markLibrary(),
      pending: false,
      failure: undefined,
      value: undefined,
      atEnd: [],
    };
    addShared(this.#shared, slots.running, 1);
    try {
      forgetCells(addCell(cell));
      nameCell(cell);
      this.#evaluating = cell;
      const expression = `${script}\n//# sourceURL=${cellUrl(id)}`;
      runInCell(cell, () =>
        this.#inspector.evaluateScript(expression, (error, reply) => this.#evaluated(cell, error, reply)),
      );
    } catch (error) {
      // The person's code has broken what this stands on: at least the cell says so.
      if (!cell.settled) this.#fail(cell, error);
    } finally {
      this.#evaluating = undefined;
    }
  }

  /** A part of a cell's script. What it throws goes past the inspector. */
  #runSync(body: () => unknown): unknown {
    try {
      return body();
    } catch (error) {
      if (this.#evaluating) this.#evaluating.failure = { of: error };
      throw failed;
    }
  }

  /** The body of a cell that awaits. The script itself has ended when this returns. */
  #runAsync(id: number, body: () => Promise<void>): void {
    const cell = currentCell();
    if (cell?.id !== id) return;
    cell.pending = true;
    void this.#settle(cell, body);
  }

  async #settle(cell: HostCell, body: () => Promise<void>): Promise<void> {
    try {
      await body();
      cell.pending = false;
      if (!cell.settled) this.#succeeded(cell);
    } catch (error) {
      cell.pending = false;
      if (!cell.settled) this.#fail(cell, error);
    }
  }

  #evaluated(cell: HostCell, error: Error | null, reply: Reply | undefined): void {
    if (cell.settled) return;
    if (error) {
      this.#interrupts.terminated();
      if (!cell.settled) this.#interrupted(cell);
    } else if (cell.failure) this.#fail(cell, cell.failure.of);
    else if (reply?.exceptionDetails) this.#failed(cell, reply.exceptionDetails);
    else if (!cell.pending) this.#succeeded(cell);
  }

  #succeeded(cell: HostCell): void {
    if (this.#interrupts.wasUnblocked()) this.#interrupted(cell);
    else if (cell.value) void this.#show(cell, cell.value.of);
    else this.#end(cell, "ok");
  }

  #failed(cell: HostCell, details: Thrown): void {
    const thrown = this.#inspector.recover(details);
    const isSyntax = details.url === cellUrl(cell.id) && inherits(thrown, intrinsics.SyntaxError.prototype);
    const place: Place | undefined = isSyntax
      ? placeInScript(cellUrl(cell.id), details.lineNumber + 1, details.columnNumber + 1)
      : undefined;
    this.#fail(cell, thrown, place);
  }

  async #show(cell: HostCell, value: unknown): Promise<void> {
    try {
      const settled = types.isPromise(value) ? await value : value;
      if (cell.settled) return;
      if (settled !== undefined) {
        const data = await runInCell(cell, () => render(settled));
        if (cell.settled) return;
        this.#end(cell, "ok", { type: "result", data, metadata: {} });
      } else this.#end(cell, "ok");
    } catch (error) {
      if (!cell.settled) this.#fail(cell, error);
    }
  }

  #fail(cell: HostCell, thrown: unknown, place?: Place): void {
    if (isInterrupt(thrown)) this.#interrupted(cell, thrown);
    else if (this.#interrupts.wasUnblocked()) this.#interrupted(cell);
    else {
      const described = this.#describe(cell, thrown, place);
      if (!cell.settled) this.#end(cell, "error", described);
    }
  }

  #interrupted(cell: HostCell, error: KeyboardInterrupt = cell.interrupt ?? new KeyboardInterrupt()): void {
    cell.interrupted = true;
    this.#end(cell, "error", describeInterrupt(cell, error));
  }

  #absorb(): void {
    this.#interrupts.absorb(() => this.#inspector.act(this.#interrupts.idle));
  }

  /** What is shown of an error. Reading it may call code of the person's, which an interrupt ends by itself. */
  #describe(cell: HostCell | undefined, thrown: unknown, place?: Place): ErrorOutput {
    let described: ErrorOutput | undefined;
    this.#contain(cell, () => {
      described = describeSafely(thrown, place);
    });
    return described ?? stoppedWhileShown;
  }

  /**
   * Runs host code that may call the person's as an evaluation of its own: a termination ends that and nothing around it.
   * Whether it ran to its end.
   */
  #contain(cell: HostCell | undefined, action: () => void): boolean {
    const before = this.#evaluating;
    this.#evaluating = cell;
    const inCell = cell ? () => runInCell(cell, action) : action;
    let ended = true;
    this.#inspector.act(inCell, () => {
      ended = false;
      this.#interrupts.terminated();
    });
    this.#evaluating = before;
    return ended;
  }

  /** The last output as it is sent; false for one that JSON cannot carry, which an error stands for. */
  #encode(cell: HostCell, output: Output): { body: string; isWhole: boolean } {
    try {
      return { body: runInCell(cell, () => encodeEvent({ type: "output", cell: cell.id, output })), isWhole: true };
    } catch (error) {
      const instead = this.#describe(cell, error);
      return { body: encodeEvent({ type: "output", cell: cell.id, output: instead }), isWhole: false };
    }
  }

  #end(cell: HostCell, status: "ok" | "error", last?: Output): void {
    // Before the part that nothing cuts short: it may call the person's `toJSON`.
    const encoded = last && this.#encode(cell, last);
    if (encoded?.isWhole === false) status = "error";
    if (cell.settled) return;
    this.#absorb();
    if (cell.interrupted) {
      this.#interrupts.clean(cell);
      // It has dealt with the error itself: what it started goes on.
      if (status === "ok") cell.interrupted = false;
    }
    try {
      this.#listen();
    } catch {
      // Without listeners an error that nobody awaits ends the process; the cell's own end matters more.
    }
    uninterrupted(() => {
      // The guard's question may have come on the way here, too, and ended it or announced a termination.
      this.#absorb();
      if (cell.settled) return;
      // What native code wrote in this cell comes before its end.
      mark();
      together(() => {
        if (encoded) sendEncoded(cell.id, encoded.body);
        const { atEnd } = cell;
        for (let index = 0; index < atEnd.length; index++) runInCell(cell, atEnd[index]!);
        cell.value = undefined;
        addShared(this.#shared, slots.running, -1);
        sendEvent({ type: "done", cell: cell.id, status, elapsed: now() - cell.started });
      });
      // Last: cut short before, it is ended again by the next question of the guard.
      cell.settled = true;
    });
  }

  /** An error that nothing awaits: shown in the cell that started the work. */
  readonly #late = reportLate;
}
