import process from "node:process";
import { types } from "node:util";
import { cellUrl } from "../../protocol/cell-url.ts";
import type { Command } from "../../protocol/host.ts";
import type { Output } from "../../protocol/output.ts";
import { describeInterrupt } from "../errors/errors.ts";
import { containBy, describeLateBy, reportLate } from "../errors/late.ts";
import { forgetCells, nameCell, placeInScript, type SourceLocation } from "../errors/stack.ts";
import { encodeEvent, mark, sendEncoded, sendEvent, together, uninterrupted } from "../io/output-buffer.ts";
import { closeAll, widgetsOf } from "../io/widgets.ts";
import type { Loader } from "../load/load.ts";
import { apply, includes, inherits, intrinsics, keysOf, now, ownValue } from "../primordials.ts";
import { render } from "../render/value.ts";
import { giveToJsonBack } from "../to-json.ts";
import { addCell, currentCell, type HostCell, runInCell } from "./cells.ts";
import { Containment, stoppedWhileShown } from "./containment.ts";
import { installExit } from "./exit.ts";
import { giveUp } from "./give-up.ts";
import { installHostApi } from "./host-api.ts";
import { Inspector, type Reply, type Thrown } from "./inspector.ts";
import { Interrupts } from "./interrupts.ts";
import { isInterrupt, KeyboardInterrupt } from "./keyboard-interrupt.ts";
import { markLibrary } from "./library.ts";
import { type Shared, slots } from "./shared.ts";

type Execute = Extract<Command, { type: "execute" }>;
const lateEvents = ["uncaughtException", "unhandledRejection"] as const;
const { on, listeners } = process;
const addShared = Atomics.add;
/** Thrown to end a script whose error is already recorded. */
const failed = Object.freeze({ __proto__: null });

/** Runs cells on this thread in V8's REPL mode, and reports how each ended. */
export class Evaluator {
  readonly #inspector: Inspector;
  readonly #shared: Shared;
  readonly #interrupts: Interrupts;
  readonly #containment: Containment;

  constructor(hostName: string, loader: Loader, shared: Shared) {
    this.#shared = shared;
    this.#inspector = new Inspector(hostName);
    this.#containment = new Containment(this.#inspector, () => this.#interrupts.terminated());
    this.#interrupts = new Interrupts(shared, {
      end: (cell) => this.#interrupted(cell),
      evaluating: () => this.#containment.evaluating,
    });
    describeLateBy((cell, error) => {
      const output = this.#containment.describe(cell, error);
      return output === stoppedWhileShown && cell.interrupted ? undefined : output;
    });
    containBy((cell, action) => this.#containment.run(cell, action));
    installExit(shared, this.#inspector.disconnect);
    const evaluation = {
      sync: (body: () => unknown) => this.#runSync(body),
      run: (cell: number, body: () => Promise<void>) => this.#runAsync(cell, body),
    };
    installHostApi(hostName, evaluation, { loader, inspector: this.#inspector, interrupts: this.#interrupts });
    this.#listen();
  }

  /** Adds the listeners for uncaught errors again. A cell may have removed them, and Node ends a process without them. */
  #listen(): void {
    for (let index = 0; index < lateEvents.length; index++) {
      const event = lateEvents[index]!;
      if (!includes(apply(listeners, process, [event]) as unknown[], reportLate))
        apply(on, process, [event, reportLate]);
    }
  }

  execute({ cell: id, label, key, attended, script, maps, source }: Execute): void {
    this.#absorb();
    this.#interrupts.settle();
    const cell: HostCell = {
      id,
      label,
      key,
      attended,
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
      beforeEnd: [],
      atEnd: [],
    };
    addShared(this.#shared, slots.running, 1);
    try {
      forgetCells(addCell(cell));
      nameCell(cell);
      const earlier = widgetsOf(key);
      if (earlier.length > 0 && !this.#contained(cell, () => closeAll(earlier))) return;
      this.#containment.evaluating = cell;
      const expression = `${script}\n//# sourceURL=${cellUrl(id)}`;
      runInCell(cell, () =>
        this.#inspector.evaluateScript(expression, (error, reply) => this.#evaluated(cell, error, reply)),
      );
    } catch (error) {
      // User code has broken a built-in that the host needs: report it in the cell.
      if (!cell.settled) this.#fail(cell, error);
    } finally {
      this.#containment.evaluating = undefined;
    }
  }

  /** Runs a part of a cell's script. A thrown value does not reach the inspector. */
  #runSync(body: () => unknown): unknown {
    giveToJsonBack();
    try {
      return body();
    } catch (error) {
      const cell = this.#containment.evaluating;
      if (cell) cell.failure = { of: error };
      throw failed;
    }
  }

  /** Runs the body of a cell that awaits. The script itself has ended when this returns. */
  #runAsync(id: number, body: () => Promise<void>): void {
    const cell = currentCell();
    if (cell?.id !== id) return;
    cell.pending = true;
    void this.#settle(cell, body);
  }

  async #settle(cell: HostCell, body: () => Promise<void>): Promise<void> {
    giveToJsonBack();
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
    const details = reply && ownValue(reply, "exceptionDetails");
    if (error) {
      this.#interrupts.terminated();
      if (!cell.settled) this.#interrupted(cell);
    } else if (cell.failure) this.#fail(cell, cell.failure.of);
    else if (details) this.#failed(cell, details);
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
    const place: SourceLocation | undefined = isSyntax
      ? placeInScript(cellUrl(cell.id), details.lineNumber + 1, details.columnNumber + 1)
      : undefined;
    this.#fail(cell, thrown, place);
  }

  async #show(cell: HostCell, value: unknown): Promise<void> {
    try {
      const settled = types.isPromise(value) ? await value : value;
      if (cell.settled) return;
      if (settled !== undefined) {
        const rendered = runInCell(cell, () => render(settled));
        // Other values are not awaited, because a cell may give all objects a method `then`.
        const data = types.isPromise(rendered) ? await rendered : rendered;
        if (cell.settled) return;
        if (keysOf(data).length > 0) this.#end(cell, "ok", { type: "result", data, metadata: {} });
        else this.#end(cell, "ok");
      } else this.#end(cell, "ok");
    } catch (error) {
      if (!cell.settled) this.#fail(cell, error);
    }
  }

  #fail(cell: HostCell, thrown: unknown, place?: SourceLocation): void {
    if (isInterrupt(thrown)) this.#interrupted(cell, thrown);
    else if (this.#interrupts.wasUnblocked()) this.#interrupted(cell);
    else {
      const described = this.#containment.describe(cell, thrown, place);
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

  /** Encodes the last output. When JSON cannot represent it, an error replaces it and `isWhole` is false. */
  #encode(cell: HostCell, output: Output): { body: string; isWhole: boolean } {
    try {
      return { body: runInCell(cell, () => encodeEvent({ type: "output", cell: cell.id, output })), isWhole: true };
    } catch (error) {
      const instead = this.#containment.describe(cell, error);
      return { body: encodeEvent({ type: "output", cell: cell.id, output: instead }), isWhole: false };
    }
  }

  /** Runs the library's work for a cell, and shows its errors there. False when an interrupt ended the work and the cell. */
  #contained(cell: HostCell, work: () => void): boolean {
    const ended = this.#containment.run(cell, () => {
      try {
        work();
      } catch (error) {
        reportLate(error);
      }
    });
    if (!ended && !cell.settled) this.#interrupted(cell);
    return ended;
  }

  /** Every cell ends here. When that is impossible, the process ends, which ends the cell too. */
  #end(cell: HostCell, status: "ok" | "error", last?: Output): void {
    try {
      this.#finish(cell, status, last);
    } catch (error) {
      giveUp(error);
    }
  }

  #finish(cell: HostCell, status: "ok" | "error", last: Output | undefined): void {
    const { beforeEnd } = cell;
    cell.beforeEnd = [];
    for (let index = 0; index < beforeEnd.length; index++) if (!this.#contained(cell, beforeEnd[index]!)) return;
    let encoded = last && this.#encode(cell, last);
    if (encoded?.isWhole === false) status = "error";
    if (cell.settled) return;
    const { atEnd } = cell;
    if (atEnd.length > 0) {
      mark();
      if (encoded) sendEncoded(cell.id, encoded.body);
      encoded = undefined;
      cell.atEnd = [];
    }
    for (let index = 0; index < atEnd.length; index++) if (!this.#contained(cell, atEnd[index]!)) return;
    this.#absorb();
    if (cell.interrupted) {
      this.#interrupts.clean(cell);
      // The cell caught the `KeyboardInterrupt`, so work that it started continues.
      if (status === "ok") cell.interrupted = false;
    }
    try {
      this.#listen();
    } catch {
      // Without listeners an uncaught error ends the process, but ending the cell matters more.
    }
    uninterrupted(() => {
      // Since the check above, a request of the guard may have ended the cell or announced a termination.
      this.#absorb();
      if (cell.settled) return;
      // Output of native code in this cell comes before the cell's end.
      mark();
      together(() => {
        if (encoded) sendEncoded(cell.id, encoded.body);
        cell.value = undefined;
        addShared(this.#shared, slots.running, -1);
        sendEvent({ type: "done", cell: cell.id, status, elapsed: now() - cell.started });
      });
      // Set last: if a termination comes before this, the guard's next request ends the cell again.
      cell.settled = true;
    });
  }
}
