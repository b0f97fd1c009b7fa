import inspector from "node:inspector";
import process from "node:process";
import { types } from "node:util";
import type { Output } from "../session/output.ts";
import { clearAsyncIds } from "./async-ids.ts";
import {
  addCell,
  currentCell,
  findCell,
  type HostCell,
  isInterrupt,
  startedBy,
  stopIfInterrupted,
  within,
} from "./cells.ts";
import { describeSafely } from "./errors.ts";
import { installExit } from "./exit.ts";
import { reportLate } from "./late.ts";
import type { Loader } from "./load.ts";
import { allIsDone, isUninterrupted, mark, sendEvent, together, uninterrupted } from "./outbox.ts";
import { apply, defineProperty, intrinsics, now } from "./primordials.ts";
import type { Command } from "./protocol.ts";
import { render } from "./render/value.ts";
import { type Shared, slots } from "./shared.ts";
import { cellUrl, isCalledFromCode, nameCell, type Place, placeInScript } from "./stack.ts";

type Execute = Extract<Command, { type: "execute" }>;
type Post = (method: string, parameters: object, done: (error: Error | null, reply?: Reply) => void) => void;

interface Reply {
  result: unknown;
  exceptionDetails?: {
    url?: string;
    lineNumber: number;
    columnNumber: number;
    exception?: { objectId?: string };
  };
}

const lateEvents = ["uncaughtException", "unhandledRejection"] as const;
const { on, listeners } = process;
function includes(list: readonly unknown[], wanted: unknown): boolean {
  for (let index = 0; index < list.length; index++) if (list[index] === wanted) return true;
  return false;
}

const loadShared = Atomics.load;
const storeShared = Atomics.store;
const addShared = Atomics.add;
/** Milliseconds in which a termination that was announced has come. */
const absorbFor = 100;
const ignore = () => {};
/** How often the guard asks before code of no running cell is terminated. */
const patience = 10;
const patienceUnblocked = 100;

/** Runs cells on this thread, each by V8's REPL mode, and says how each ended. */
export class Evaluator {
  readonly #post: Post;
  readonly #shared: Shared;
  /** The interrupt for which code has been terminated that has not said so yet. */
  #terminating: { request: number; cells: readonly number[] } | undefined;
  #askedInVain = 0;
  /** The cell whose script runs on the stack: asked by the guard in the middle of it, Node may not tell its context. */
  #evaluating: HostCell | undefined;
  readonly #hostName: string;
  #thrown: { what: unknown } | undefined;

  constructor(hostName: string, loader: Loader, shared: Shared) {
    this.#shared = shared;
    this.#hostName = hostName;
    const session = new inspector.Session();
    session.connect();
    installExit(shared, () => session.disconnect());
    this.#post = session.post.bind(session) as unknown as Post;
    const doors = {
      value: (id: number, value: unknown) => {
        const cell = currentCell();
        if (cell?.id === id) cell.value = { of: value };
      },
      run: (id: number, body: () => Promise<void>) => this.#runAsync(id, body),
      awaited: stopIfInterrupted,
      clearAsyncIds,
      idle: () => {
        for (const deadline = now() + absorbFor; now() < deadline; );
      },
      thrown: (what: unknown) => {
        this.#thrown = { what };
      },
      load: loader.load.bind(loader),
      dynamic: loader.dynamic.bind(loader),
      meta: loader.meta,
      interrupt: (request: number, cells: readonly number[]) => this.#interrupt(request, cells),
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
    const cell: HostCell = {
      id,
      label,
      source,
      maps,
      started: now(),
      settled: false,
      interrupted: false,
      pending: false,
      value: undefined,
      atEnd: [],
    };
    addShared(this.#shared, slots.running, 1);
    try {
      addCell(cell);
      nameCell(cell);
      this.#evaluating = cell;
      const expression = `${script}\n//# sourceURL=${cellUrl(id)}`;
      within(cell, () =>
        this.#post(
          "Runtime.evaluate",
          { expression, replMode: true, awaitPromise: true, objectGroup: "cell" },
          (error, reply) => this.#evaluated(cell, error, reply),
        ),
      );
    } catch (error) {
      // The person's code has broken what this stands on: at least the cell says so.
      if (!cell.settled) this.#fail(cell, error);
    } finally {
      this.#evaluating = undefined;
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
      if (cell.settled) return;
      if (isInterrupt(error)) this.#interrupted(cell);
      else this.#fail(cell, error);
    }
  }

  /**
   * The guard's question, evaluated wherever this thread is: between two tasks, or inside code. The guard terminates
   * code of a cell that shall end when the answer says so, and asks again until the answer is "done". Other code, such
   * as a timer's, is let go on, unless it does so for long. What the cells started stays.
   */
  #interrupt(request: number, cells: readonly number[]): "done" | "wait" | "terminate" {
    if (loadShared(this.#shared, slots.interrupted) >= request) return "done";
    if (!isCalledFromCode()) {
      allIsDone();
      this.#terminating = undefined;
      this.#endCells(cells);
      return this.#handled(request);
    }
    if (isUninterrupted()) return "wait";
    const cell = startedBy() ?? this.#evaluating;
    const isAsked = cell !== undefined && !cell.settled && includes(cells, cell.id);
    if (!isAsked) {
      this.#endCells(cells);
      if (cell && !cell.settled) return this.#handled(request);
      if (++this.#askedInVain < patience) return "wait";
    }
    // It waited for a child process, which has been ended: it goes on by itself, and its end counts as interrupted.
    if (loadShared(this.#shared, slots.unblocked) === request && ++this.#askedInVain < patienceUnblocked) return "wait";
    if (cell && !cell.interrupted) {
      // Code that awaits stops by itself now. Terminated between two awaits, it would leave an async id behind.
      cell.interrupted = true;
      return "wait";
    }
    this.#terminating = { request, cells };
    return "terminate";
  }

  #handled(request: number): "done" {
    this.#terminating = undefined;
    this.#askedInVain = 0;
    storeShared(this.#shared, slots.interrupted, request);
    return "done";
  }

  /** The cell has ended just before its termination came: it comes here, and not to the next cell. */
  #absorbTermination(): void {
    this.#terminating = undefined;
    this.#post("Runtime.evaluate", { expression: `${this.#hostName}.idle()` }, ignore);
  }

  #endCells(cells: readonly number[]): void {
    for (let index = 0; index < cells.length; index++) {
      const cell = findCell(cells[index]!);
      if (cell && !cell.settled) this.#interrupted(cell);
    }
  }

  #evaluated(cell: HostCell, error: Error | null, reply: Reply | undefined): void {
    if (cell.settled) return;
    if (error) {
      allIsDone();
      const asked = this.#terminating;
      this.#terminating = undefined;
      if (asked) {
        this.#endCells(asked.cells);
        this.#handled(asked.request);
      }
      if (!cell.settled) this.#interrupted(cell);
    } else if (reply?.exceptionDetails) this.#failed(cell, reply.exceptionDetails);
    else if (!cell.pending) this.#succeeded(cell);
  }

  #succeeded(cell: HostCell): void {
    if (this.#wasUnblocked()) this.#interrupted(cell);
    else if (cell.value) void this.#show(cell, cell.value.of);
    else this.#end(cell, "ok");
  }

  #failed(cell: HostCell, details: NonNullable<Reply["exceptionDetails"]>): void {
    const thrown = this.#recover(details);
    const isSyntax = details.url === cellUrl(cell.id) && thrown instanceof intrinsics.SyntaxError;
    const place: Place | undefined = isSyntax
      ? placeInScript(cellUrl(cell.id), details.lineNumber + 1, details.columnNumber + 1)
      : undefined;
    this.#fail(cell, thrown, place);
  }

  /** The thrown value itself, which the inspector only refers to. */
  #recover(details: NonNullable<Reply["exceptionDetails"]>): unknown {
    const remote = details.exception as { objectId?: string; value?: unknown; unserializableValue?: string };
    const argument = remote.objectId
      ? { objectId: remote.objectId }
      : remote.unserializableValue
        ? { unserializableValue: remote.unserializableValue }
        : { value: remote.value };
    this.#thrown = undefined;
    this.#post(
      "Runtime.callFunctionOn",
      {
        functionDeclaration: `function(what){${this.#hostName}.thrown(what)}`,
        arguments: [argument],
        executionContextId: 1,
      },
      ignore,
    );
    this.#post("Runtime.releaseObjectGroup", { objectGroup: "cell" }, ignore);
    const found = this.#thrown as { what: unknown } | undefined;
    this.#thrown = undefined;
    return found?.what;
  }

  async #show(cell: HostCell, value: unknown): Promise<void> {
    try {
      const settled = types.isPromise(value) ? await value : value;
      if (cell.settled) return;
      if (settled !== undefined) {
        const data = await within(cell, () => render(settled));
        if (cell.settled) return;
        this.#end(cell, "ok", { type: "result", data, metadata: {} });
      } else this.#end(cell, "ok");
    } catch (error) {
      if (!cell.settled) this.#fail(cell, error);
    } finally {
      this.#evaluating = undefined;
    }
  }

  /** A child process that the cell waited for was ended by an interrupt that has not come through yet. */
  #wasUnblocked(): boolean {
    const request = loadShared(this.#shared, slots.unblocked);
    if (request <= loadShared(this.#shared, slots.interrupted)) return false;
    storeShared(this.#shared, slots.interrupted, request);
    return true;
  }

  #fail(cell: HostCell, thrown: unknown, place?: Place): void {
    if (this.#wasUnblocked()) this.#interrupted(cell);
    else this.#end(cell, "error", describeSafely(thrown, place));
  }

  #interrupted(cell: HostCell): void {
    cell.interrupted = true;
    this.#end(cell, "error", {
      type: "error",
      ename: "KeyboardInterrupt",
      evalue: "the cell was interrupted",
      traceback: ["KeyboardInterrupt: the cell was interrupted; variables are kept"],
    });
  }

  /** False, and an error in its place, for an output that JSON cannot carry. */
  #say(cell: HostCell, output: Output): boolean {
    try {
      sendEvent({ type: "output", cell: cell.id, output });
      return true;
    } catch (error) {
      sendEvent({ type: "output", cell: cell.id, output: describeSafely(error) });
      return false;
    }
  }

  #end(cell: HostCell, status: "ok" | "error", last?: Output): void {
    if (this.#terminating) this.#absorbTermination();
    try {
      this.#listen();
    } catch {
      // Without listeners an error that nobody awaits ends the process; the cell's own end matters more.
    }
    uninterrupted(() => {
      // What native code wrote in this cell comes before its end.
      mark();
      together(() => {
        if (last && !this.#say(cell, last)) status = "error";
        const { atEnd } = cell;
        for (let index = 0; index < atEnd.length; index++) within(cell, atEnd[index]!);
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
