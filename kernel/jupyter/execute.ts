/** Runs one `execute_request` in the session and returns the content of its reply. */
import type { Output } from "../protocol/output.ts";
import type { Session } from "../session/session.ts";
import type { CommBridge } from "./comms.ts";
import type { InputHistory } from "./input-history.ts";
import type { IoPub } from "./iopub.ts";
import type { Content, Json, Message } from "./messages.ts";
import type { Stdin } from "./stdin.ts";

type Failure = Extract<Output, { type: "error" }>;

export class Executor {
  readonly #session: Session;
  readonly #iopub: IoPub;
  readonly #stdin: Stdin;
  readonly #history: InputHistory;
  readonly #running = new Set<Message>();
  count = 0;

  readonly #comms: CommBridge;

  constructor(session: Session, iopub: IoPub, stdin: Stdin, comms: CommBridge, history: InputHistory) {
    this.#comms = comms;
    this.#session = session;
    this.#iopub = iopub;
    this.#stdin = stdin;
    this.#history = history;
  }

  /** The request of a cell that runs now. */
  get running(): Message | undefined {
    return this.#running.values().next().value;
  }

  async execute(content: Content<"execute_request">, request: Message, lane: string | undefined): Promise<Json> {
    const { code, silent } = content;
    const parent = request.header;
    const stored = content.store_history && !silent;
    if (stored) this.count++;
    const count = this.count;
    if (!silent) this.#iopub.publish("execute_input", parent, { code, execution_count: count });
    this.#running.add(request);
    let failed: Failure | undefined;
    let result: string | undefined;
    try {
      const outcome = await this.#session.execute(code, {
        silent,
        storeHistory: content.store_history,
        executionCount: count,
        cellKey: typeof request.metadata.cellId === "string" ? request.metadata.cellId : undefined,
        lane,
        onOutput: (output) => {
          if (output.type === "error") failed = output;
          if (output.type === "result") result = String(output.data["text/plain"] ?? "");
          if (!silent) this.#iopub.output(output, parent, count);
        },
        ...(content.allow_stdin && {
          onInput: ({ prompt, password }) => this.#stdin.ask(prompt, password, request),
        }),
        onComm: (message) => this.#comms.send(message, parent),
      });
      if (stored) this.#history.store(count, code, result);
      if (outcome.status !== "ok") return { ...failureOf(failed), execution_count: count };
      const expressions = await this.#userExpressions(content.user_expressions, lane);
      const payload = outcome.page ? [{ source: "page", data: outcome.page, start: 0 }] : [];
      return { status: "ok", execution_count: count, payload, user_expressions: expressions };
    } finally {
      this.#running.delete(request);
      this.#stdin.cancel(request);
    }
  }

  /** Evaluates each expression; one that fails has its error as the result. */
  async #userExpressions(expressions: Json, lane: string | undefined): Promise<Json> {
    const values: Json = {};
    for (const [name, expression] of Object.entries(expressions)) {
      let value: Json = { status: "ok", data: {}, metadata: {} };
      const onOutput = (output: Output): void => {
        if (output.type === "result") value = { status: "ok", data: output.data, metadata: output.metadata };
        if (output.type === "error") value = failureOf(output);
      };
      if (typeof expression === "string") await this.#session.execute(expression, { silent: true, lane, onOutput });
      else onOutput({ type: "error", ...notAnExpression, traceback: [] });
      values[name] = value;
    }
    return values;
  }
}

const notAnExpression = { ename: "TypeError", evalue: "an expression must be text" };

function failureOf(failed: Failure | undefined): Json {
  const { ename, evalue, traceback } = failed ?? { ename: "Error", evalue: "the cell failed", traceback: [] };
  return { status: "error", ename, evalue, traceback };
}
