import inspector from "node:inspector";

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

/** V8's inspector of this very thread: it evaluates at once, and a termination ends one evaluation and nothing around it. */
export class Inspector {
  readonly disconnect: () => void;
  readonly #post: Post;
  readonly #hostName: string;
  #action: (() => void) | undefined;
  #thrown: { what: unknown } | undefined;
  /** What its own evaluations call, among the host's functions. */
  readonly functions: { act: () => void; thrown: (what: unknown) => void } = {
    act: () => this.#action?.(),
    thrown: (what) => {
      this.#thrown = { what };
    },
  };

  constructor(hostName: string) {
    this.#hostName = hostName;
    const session = new inspector.Session();
    session.connect();
    this.disconnect = () => session.disconnect();
    this.#post = session.post.bind(session) as unknown as Post;
  }

  evaluate(parameters: object, done: (error: Error | null, reply?: Reply) => void): void {
    this.#post("Runtime.evaluate", parameters, done);
  }

  /** Calls a function as an evaluation of its own; `terminated` is called when it was ended. */
  act(action: () => void, terminated: () => void = ignore): void {
    this.#action = action;
    this.#post("Runtime.evaluate", { expression: `${this.#hostName}.act()` }, (error) => {
      if (error) terminated();
    });
    this.#action = undefined;
  }

  /** The thrown value itself, which the inspector only refers to. */
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
