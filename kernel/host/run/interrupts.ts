import { isAboveCode, isCalledFromCode } from "../errors/stack.ts";
import { allIsDone, isUninterrupted } from "../io/output-buffer.ts";
import { defineProperty, includes, now, soon } from "../primordials.ts";
import { currentCell, findCell, type HostCell, latestId, startedBy } from "./cells.ts";
import { KeyboardInterrupt } from "./keyboard-interrupt.ts";
import { libraryInterrupts, restoreLibrary } from "./library.ts";
import { type Shared, slots } from "./shared.ts";

const loadShared = Atomics.load;
const storeShared = Atomics.store;

/** Milliseconds in which code may stop by itself: where it next awaits, or at the next op of the library. */
const selfStopWithin = 100;
/** Milliseconds that its `catch` and `finally` may take after that. */
const unwindWithin = 500;
/** Milliseconds that one op may keep JavaScript from being terminated. */
const opWithin = 2000;
/** Milliseconds in which a termination that was announced has come. */
const absorbFor = 100;
/** How often the guard asks before code of no running cell is terminated. */
const patience = 10;
const patienceUnblocked = 100;

interface Ends {
  /** Ends a cell as interrupted. */
  end(cell: HostCell): void;
  /** The cell that V8 evaluates, where nothing else says whose code is on the stack. */
  evaluating(): HostCell | undefined;
}

/**
 * How cells are stopped, in two stages. First their code gets an ordinary error where it next awaits or runs an op of the
 * library, so that its `finally` runs. Where it does neither, or continues nevertheless, V8 is terminated. In both cases the
 * library then puts back what code that never ran to its end has left half changed.
 */
export class Interrupts {
  /** Not 0 while code is to stop; the library reads it before every op. */
  readonly #pending = new Int32Array(1);
  readonly #shared: Shared;
  readonly #ends: Ends;
  /** The interrupt whose termination has been requested but not confirmed. */
  #terminating: { request: number; cells: readonly number[] } | undefined;
  #unanswered = 0;
  /** Cells that shall stop and have not ended yet. */
  #stopping: HostCell[] = [];
  /** A cell whose code may have left the library half changed. */
  #leftBy: HostCell | undefined;
  /** Code of cells that were interrupted may come back from an await at any time. */
  #mayComeBack = false;

  constructor(shared: Shared, ends: Ends) {
    this.#shared = shared;
    this.#ends = ends;
    const value = { pending: this.#pending, stop: this.#stop, owner: startedBy };
    defineProperty(globalThis, Symbol.for("halftone.interrupts"), { value, enumerable: false });
  }

  /**
   * The guard's question, evaluated wherever this thread is: between two tasks, or inside code. The guard terminates
   * code of a cell that shall end when the answer says so, and asks again until the answer is "done". Other code, such
   * as a timer's, may continue, unless it runs for long. Work that the cells started is kept.
   */
  readonly ask = (request: number, ids: readonly number[]): "done" | "wait" | "terminate" => {
    if (loadShared(this.#shared, slots.interrupted) >= request) return "done";
    const unsettled = this.#mark(ids);
    if (!isCalledFromCode()) {
      allIsDone();
      const wasTerminated = this.#terminating !== undefined;
      this.#terminating = undefined;
      // What awaits may come back in time to stop by itself, which says where it was.
      if (!wasTerminated && this.#isSomeFresh(unsettled)) return "wait";
      this.#endAll(unsettled);
      this.settle();
      return isOnItsWay(ids) ? "wait" : this.#handled(request);
    }
    if (isUninterrupted()) return "wait";
    // Asked again for its termination, code has lost its context to `clearAsyncIds`.
    const cell = startedBy() ?? this.#ends.evaluating() ?? (this.#terminating && this.#leftBy);
    if (!cell || !includes(unsettled, cell)) {
      if (this.#isSomeFresh(unsettled)) return "wait";
      this.#endAll(unsettled);
      if (cell && !cell.settled) return isOnItsWay(ids) ? "wait" : this.#handled(request);
      if (++this.#unanswered < patience) return "wait";
    } else {
      // It waited for a child process, which has been ended: it continues by itself, and its end counts as interrupted.
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

  /** V8 has ended the evaluation of a cell. */
  terminated(): void {
    allIsDone();
    const termination = this.#terminating;
    this.#terminating = undefined;
    if (!termination) return;
    this.#endAll(this.#mark(termination.cells));
    if (!isOnItsWay(termination.cells)) this.#handled(termination.request);
  }

  /** The cell has ended just before its termination came: `take` runs code for that to come to, and not to the next cell. */
  absorb(take: () => void): void {
    if (!this.#terminating) return;
    this.#terminating = undefined;
    take();
  }

  /** Lets a termination that was announced come. */
  readonly idle = (): void => {
    for (const deadline = now() + absorbFor; now() < deadline; );
  };

  /** A child process that a cell waited for was ended by an interrupt that has not come through yet. */
  wasUnblocked(): boolean {
    const request = loadShared(this.#shared, slots.unblocked);
    if (request <= loadShared(this.#shared, slots.interrupted)) return false;
    storeShared(this.#shared, slots.interrupted, request);
    return true;
  }

  /** What the library looked after for a cell that was interrupted is put back. */
  clean(cell: HostCell): void {
    this.#leftBy ??= cell;
    restoreLibrary(cell, undefined);
    this.settle();
  }

  /** Puts the library back as it was, as soon as nothing that may use it is on the stack. */
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

  /** A later request may have interrupted another cell meanwhile: that one stays pending. */
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
   * The library's question before an op (`atOp`), and before each change of its own state. The guard's question may come at
   * any call in here, so whether a termination is on its way is looked at last, too.
   */
  readonly #stop = (atOp: boolean): void => {
    if (this.#terminating) this.idle();
    if (atOp) this.#throwOnce();
    if (this.#terminating) this.idle();
  };

  /** Only once, because the `catch` and `finally` of a cell may need ops. A cell that continues for long is terminated. */
  #throwOnce(): void {
    const cell = startedBy();
    if (!cell?.interrupted || (!cell.settled && cell.thrown !== undefined)) return;
    cell.thrown = now();
    throw new KeyboardInterrupt();
  }
}

/** A cell comes through another pipe than the question about it, and may come after it. */
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
