import { promiseHooks } from "node:v8";
import { openInspector } from "../inspector-session.ts";
import { giveToJsonBack } from "../to-json.ts";

type Post = (method: string, parameters: object, done: (error: Error | null, reply?: Reply) => void) => void;

export interface Thrown {
  url?: string;
  lineNumber: number;
  columnNumber: number;
  exception?: { objectId?: string };
}

export interface Reply {
  result: unknown;
  exceptionDetails?: Thrown;
}

const ignore = () => {};
const { onInit } = promiseHooks;

/** V8's inspector of this thread. It evaluates synchronously, and a termination ends only the innermost evaluation. */
export class Inspector {
  readonly disconnect: () => void;
  readonly #post: Post;
  readonly #hostName: string;
  #action: (() => void) | undefined;
  #thrown: { what: unknown } | undefined;
  /** The host functions that this class's evaluations call. */
  readonly functions: { act: () => void; thrown: (what: unknown) => void } = {
    act: () => {
      giveToJsonBack();
      this.#action?.();
    },
    thrown: (what) => {
      this.#thrown = { what };
    },
  };

  constructor(hostName: string) {
    this.#hostName = hostName;
    const { post, disconnect } = openInspector<Post>();
    this.#post = post;
    this.disconnect = disconnect;
  }

  /**
   * Evaluates a script in REPL mode. V8 answers from a microtask, through a promise to which it has only a weak reference. If
   * that promise were collected first, V8 12.4 (Node 22) would answer during garbage collection and abort. So the callback
   * refers to the promise, and the session refers to the callback. When a termination has cleared the microtask queue, these
   * references stay for the life of the session.
   */
  evaluateScript(expression: string, done: (error: Error | null, reply?: Reply) => void): void {
    const references: { script?: Promise<unknown> | undefined } = {};
    // The first promise that is created is the script's.
    const stop = onInit((promise) => {
      references.script = promise;
      stop();
    });
    this.#post("Runtime.evaluate", { expression, replMode: true, objectGroup: "cell" }, (error, reply) => {
      references.script = undefined;
      done(error, reply);
    });
    stop();
  }

  /** Calls a function as a separate evaluation; `terminated` is called when V8 terminated it. */
  act(action: () => void, terminated: () => void = ignore): void {
    this.#action = action;
    this.#post("Runtime.evaluate", { expression: `${this.#hostName}.act()` }, (error) => {
      if (error) terminated();
    });
    this.#action = undefined;
  }

  /** Returns the thrown value itself. The inspector's details contain only a reference to it. */
  recover(details: Thrown): unknown {
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
}
