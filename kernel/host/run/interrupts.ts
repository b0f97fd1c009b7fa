import { isAboveCode, isCalledFromCode } from "../errors/stack.ts";
import { allIsDone, isUninterrupted } from "../io/output-buffer.ts";
import { defineProperty, includes, now, soon } from "../primordials.ts";
import { currentCell, findCell, type HostCell, latestId, startedBy } from "./cells.ts";
import { KeyboardInterrupt } from "./keyboard-interrupt.ts";
import { libraryInterrupts, restoreLibrary } from "./library.ts";
import { type Shared, slots } from "./shared.ts";

const loadShared = Atomics.load;
const storeShared = Atomics.store;

/** Milliseconds in which code may stop by itself, at its next await or op of the library. */
const selfStopWithin = 100;
/** Milliseconds that its `catch` and `finally` blocks may take after that. */
const unwindWithin = 500;
/** Milliseconds for which one op may delay a termination. */
const opWithin = 2000;
/** Milliseconds within which an announced termination arrives. */
const absorbFor = 100;
/** The number of requests after which code that belongs to no running cell is terminated. */
const patience = 10;
const patienceUnblocked = 100;

interface Ends {
  /** Ends a cell as interrupted. */
  end(cell: HostCell): void;
  /** The cell that V8 evaluates. It is used when the cell of the code on the stack is unknown otherwise. */
  evaluating(): HostCell | undefined;
}

/**
 * Stops cells in two stages. First, an ordinary error is thrown in their code at its next await or op of the library, so that
 * `finally` blocks run. If the code reaches neither, or continues nevertheless, V8 terminates it. In both cases the library
 * then restores the state that the unfinished code has left inconsistent.
 */
export class Interrupts {
  /** Not 0 while code must stop. The library reads it before every op. */
  readonly #pending = new Int32Array(1);
  readonly #shared: Shared;
  readonly #ends: Ends;
  /** The interrupt whose termination has been requested but not confirmed. */
  #terminating: { request: number; cells: readonly number[] } | undefined;
  #unanswered = 0;
  /** Cells that were asked to stop and have not ended yet. */
  #stopping: HostCell[] = [];
  /** A cell whose code may have left the library in an inconsistent state. */
  #leftBy: HostCell | undefined;
  /** Whether code of an interrupted cell may resume from an await at any time. */
  #mayComeBack = false;

  constructor(shared: Shared, ends: Ends) {
    this.#shared = shared;
    this.#ends = ends;
    const value = { pending: this.#pending, stop: this.#stop, owner: startedBy };
    defineProperty(globalThis, Symbol.for("halftone.interrupts"), { value, enumerable: false });
  }

  /**
   * Answers the guard's request to end cells. It is evaluated on this thread at any time: between two tasks, or during code.
   * The guard terminates the running code when the answer is "terminate", and repeats the request until it is "done". Code of
   * other cells, such as a timer's, may continue, unless it runs for long. Work that the cells started is kept.
   */
  readonly ask = (request: number, ids: readonly number[]): "done" | "wait" | "terminate" => {
    if (loadShared(this.#shared, slots.interrupted) >= request) return "done";
    const unsettled = this.#mark(ids);
    if (!isCalledFromCode()) {
      allIsDone();
      const wasTerminated = this.#terminating !== undefined;
      this.#terminating = undefined;
      // Code that awaits may resume in time to stop by itself. Its error then has the position.
      if (!wasTerminated && this.#isSomeFresh(unsettled)) return "wait";
      this.#endAll(unsettled);
      this.settle();
      return isOnItsWay(ids) ? "wait" : this.#handled(request);
    }
    if (isUninterrupted()) return "wait";
    // At a repeated request, `clearAsyncIds` has already cleared the code's context.
    const cell = startedBy() ?? this.#ends.evaluating() ?? (this.#terminating && this.#leftBy);
    if (!cell || !includes(unsettled, cell)) {
      if (this.#isSomeFresh(unsettled)) return "wait";
      this.#endAll(unsettled);
      if (cell && !cell.settled) return isOnItsWay(ids) ? "wait" : this.#handled(request);
      // Such as the code that reads the cell's command, which would be lost.
      if (!isAboveCode()) return "wait";
      if (++this.#unanswered < patience) return "wait";
    } else {
      // The child process that it waited for was ended. The code continues, and its end counts as interrupted.
      if (loadShared(this.#shared, slots.unblocked) === request && ++this.#unanswered < patienceUnblocked)
        return "wait";
      if (mayStopItself(cell)) return "wait";
      cell.interrupt ??= new KeyboardInterrupt();
    }
    if (libraryInterrupts()?.isBusy() && ++this.#unanswered < patienceUnblocked) return "wait";
    this.#terminating = { request, cells: ids };
    this.#leftBy ??= cell ?? currentCell();
    return "terminate";
  };

  /** Called when V8 has terminated the evaluation of a cell. */
  terminated(): void {
    allIsDone();
    const termination = this.#terminating;
    this.#terminating = undefined;
    if (!termination) return;
    this.#endAll(this.#mark(termination.cells));
    if (!isOnItsWay(termination.cells)) this.#handled(termination.request);
  }

  /** Called when a cell ended just before its termination: `take` runs code that receives it in place of the next cell. */
  absorb(take: () => void): void {
    if (!this.#terminating) return;
    this.#terminating = undefined;
    take();
  }

  /** Waits in a loop for an announced termination. */
  readonly idle = (): void => {
    for (const deadline = now() + absorbFor; now() < deadline; );
  };

  /** Whether an interrupt ended the child process that a cell waited for, and has not been handled otherwise. */
  wasUnblocked(): boolean {
    const request = loadShared(this.#shared, slots.unblocked);
    if (request <= loadShared(this.#shared, slots.interrupted)) return false;
    storeShared(this.#shared, slots.interrupted, request);
    return true;
  }

  /** Restores the library's state for an interrupted cell. */
  clean(cell: HostCell): void {
    this.#leftBy ??= cell;
    restoreLibrary(cell, undefined);
    this.settle();
  }

  /** Restores the library's state as soon as no code that may use it is on the stack. */
  readonly settle = (): void => {
    const cell = this.#leftBy;
    if (!cell || this.#terminating) return;
    if (isAboveCode()) {
      soon(this.settle);
      return;
    }
    this.#leftBy = undefined;
    restoreLibrary(cell, cell.mark);
  };

  #mark(ids: readonly number[]): HostCell[] {
    const unsettled: HostCell[] = [];
    for (let index = 0; index < ids.length; index++) {
      const cell = findCell(ids[index]!);
      if (!cell || cell.settled) continue;
      unsettled[unsettled.length] = cell;
      if (cell.interrupted) continue;
      cell.interrupted = true;
      cell.asked = now();
      this.#stopping[this.#stopping.length] = cell;
      this.#pending[0] = 1;
    }
    return unsettled;
  }

  #isSomeFresh(asked: readonly HostCell[]): boolean {
    for (let index = 0; index < asked.length; index++) if (now() - asked[index]!.asked < selfStopWithin) return true;
    return false;
  }

  #endAll(asked: readonly HostCell[]): void {
    for (let index = 0; index < asked.length; index++) {
      const cell = asked[index]!;
      if (cell.settled) continue;
      if (cell.pending || cell.value) this.#mayComeBack = true;
      this.#ends.end(cell);
    }
  }

  /** Records that a request was handled. A cell that a later request interrupted stays pending. */
  #handled(request: number): "done" {
    if (this.#terminating && this.#terminating.request <= request) this.#terminating = undefined;
    this.#unanswered = 0;
    const stopping: HostCell[] = [];
    for (let index = 0; index < this.#stopping.length; index++) {
      const cell = this.#stopping[index]!;
      if (!cell.settled) stopping[stopping.length] = cell;
    }
    this.#stopping = stopping;
    this.#pending[0] = this.#mayComeBack || stopping.length > 0 ? 1 : 0;
    storeShared(this.#shared, slots.interrupted, request);
    return "done";
  }

  /**
   * The library calls this before an op (`atOp`) and before each change of its state. The guard's request may be evaluated at
   * any call in here, so a pending termination is checked again at the end.
   */
  readonly #stop = (atOp: boolean): void => {
    if (this.#terminating) this.idle();
    if (atOp) this.#throwOnce();
    if (this.#terminating) this.idle();
  };

  /** Throws once for each cell, because its `catch` and `finally` may need ops. If it continues for long, V8 terminates it. */
  #throwOnce(): void {
    const cell = startedBy();
    if (!cell?.interrupted || (!cell.settled && cell.thrown !== undefined)) return;
    cell.thrown = now();
    throw new KeyboardInterrupt();
  }
}

/** Whether a cell has not arrived yet: its command uses another pipe than the request to end it, and may come later. */
function isOnItsWay(ids: readonly number[]): boolean {
  for (let index = 0; index < ids.length; index++) if (ids[index]! > latestId()) return true;
  return false;
}

function mayStopItself(cell: HostCell): boolean {
  if (cell.thrown !== undefined) return now() - cell.thrown < unwindWithin;
  const library = libraryInterrupts();
  const since = now() - cell.asked;
  if (library?.isBusy()) return since < opWithin;
  return since < (library ? selfStopWithin : 1);
}
