import inspector from "node:inspector";
import type { Output } from "../session/output.ts";
import { addCell, currentCell, eachRunning, type HostCell, within } from "./cells.ts";
import { describeError } from "./errors.ts";
import type { Loader } from "./load.ts";
import { sendEvent } from "./outbox.ts";
import { defineProperty, now } from "./primordials.ts";
import type { Command } from "./protocol.ts";
import { render } from "./render.ts";
import { cellUrl, nameCell, type Place, placeInScript } from "./stack.ts";

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

/** Runs cells on this thread, each by V8's REPL mode, and says how each ended. */
export class Evaluator {
  readonly #post: Post;
  readonly #hostName: string;
  #thrown: { what: unknown } | undefined;

  constructor(hostName: string, loader: Loader) {
    this.#hostName = hostName;
    const session = new inspector.Session();
    session.connect();
    this.#post = session.post.bind(session) as unknown as Post;
    const doors = {
      value: (id: number, value: unknown) => {
        const cell = currentCell();
        if (cell?.id === id) cell.value = { of: value };
      },
      thrown: (what: unknown) => {
        this.#thrown = { what };
      },
      load: loader.load.bind(loader),
      dynamic: loader.dynamic.bind(loader),
      meta: loader.meta,
    };
    defineProperty(globalThis, hostName, { value: Object.freeze(doors), enumerable: false });
    process.on("uncaughtException", (error) => this.#late(error));
    process.on("unhandledRejection", (reason) => this.#late(reason));
  }

  execute({ cell: id, label, script, maps, source }: Execute): void {
    const cell: HostCell = { id, label, source, maps, started: now(), settled: false, value: undefined };
    addCell(cell);
    nameCell(cell);
    const expression = `${script}\n//# sourceURL=${cellUrl(id)}`;
    within(cell, () =>
      this.#post(
        "Runtime.evaluate",
        { expression, replMode: true, awaitPromise: true, objectGroup: "cell" },
        (error, reply) => this.#evaluated(cell, error, reply),
      ),
    );
  }

  /** Ends every cell that waits. What they started goes on. */
  interrupt(): void {
    eachRunning((cell) => this.#interrupted(cell));
  }

  #evaluated(cell: HostCell, error: Error | null, reply: Reply | undefined): void {
    if (cell.settled) return;
    if (error) this.#interrupted(cell);
    else if (reply?.exceptionDetails) this.#failed(cell, reply.exceptionDetails);
    else if (cell.value) void this.#show(cell, cell.value.of);
    else this.#end(cell, "ok");
  }

  #failed(cell: HostCell, details: NonNullable<Reply["exceptionDetails"]>): void {
    const thrown = this.#recover(details);
    const isSyntax = details.url === cellUrl(cell.id) && thrown instanceof SyntaxError;
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
      () => {},
    );
    this.#post("Runtime.releaseObjectGroup", { objectGroup: "cell" }, () => {});
    const found = this.#thrown as { what: unknown } | undefined;
    this.#thrown = undefined;
    return found?.what;
  }

  async #show(cell: HostCell, value: unknown): Promise<void> {
    try {
      const settled = await (value as Promise<unknown>);
      if (cell.settled) return;
      if (settled !== undefined) {
        const data = await within(cell, () => render(settled));
        if (cell.settled) return;
        this.#output(cell, { type: "result", data, metadata: {} });
      }
      this.#end(cell, "ok");
    } catch (error) {
      if (!cell.settled) this.#fail(cell, error);
    }
  }

  #fail(cell: HostCell, thrown: unknown, place?: Place): void {
    this.#output(cell, describeError(thrown, place));
    this.#end(cell, "error");
  }

  #interrupted(cell: HostCell): void {
    this.#output(cell, {
      type: "error",
      ename: "KeyboardInterrupt",
      evalue: "the cell was interrupted",
      traceback: ["KeyboardInterrupt: the cell was interrupted; variables are kept"],
    });
    this.#end(cell, "error");
  }

  #end(cell: HostCell, status: "ok" | "error"): void {
    cell.settled = true;
    cell.value = undefined;
    sendEvent({ type: "done", cell: cell.id, status, elapsed: now() - cell.started });
  }

  #output(cell: HostCell, output: Output): void {
    sendEvent({ type: "output", cell: cell.id, output });
  }

  /** An error that nothing awaits: shown in the cell that started the work. */
  #late(error: unknown): void {
    const cell = currentCell();
    if (cell) this.#output(cell, describeError(error));
  }
}
