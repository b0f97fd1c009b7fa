/** Answers the Jupyter debug protocol: the Debug Adapter Protocol with Jupyter's own requests. Requests are answered in order. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import * as v from "valibot";
import type { Session } from "../session/session.ts";
import { Debugger, threadId } from "./debugger.ts";
import { Refusal } from "./refusal.ts";
import { type Command, commands, isCommand } from "./requests.ts";

const requestSchema = v.looseObject({
  type: v.fallback(v.string(), "request"),
  seq: v.fallback(v.number(), 0),
  command: v.string(),
  arguments: v.fallback(v.record(v.string(), v.unknown()), {}),
});

export class DebugServer implements Disposable {
  readonly #debugger: Debugger;
  readonly #onEvent: (event: DebugProtocol.Event) => void;
  #seq = 0;
  #isInitialized = false;
  #last: Promise<unknown> = Promise.resolve();
  #leaving: NodeJS.Timeout | undefined;

  /** `onEvent` is called with each event, for all front ends. */
  constructor(session: Session, onEvent: (event: DebugProtocol.Event) => void) {
    this.#onEvent = onEvent;
    this.#debugger = new Debugger(session, (event, body) => this.#emit(event, body));
  }

  /** Answers one request; never rejects. */
  answer(content: unknown): Promise<DebugProtocol.Response> {
    const answer = this.#last.then(() => this.#answer(content));
    this.#last = answer;
    return answer;
  }

  /** No front end listens any more: after a while without one, stopped code goes on. */
  frontEndsGone(patience: number): void {
    this.#leaving ??= setTimeout(() => void this.#debugger.detach(), patience).unref();
  }

  frontEndCame(): void {
    clearTimeout(this.#leaving);
    this.#leaving = undefined;
  }

  [Symbol.dispose](): void {
    this.frontEndCame();
    this.#debugger[Symbol.dispose]();
  }

  async #answer(content: unknown): Promise<DebugProtocol.Response> {
    const parsed = v.safeParse(requestSchema, content);
    const request = parsed.success ? parsed.output : { type: "", seq: 0, command: "", arguments: {} };
    const { seq, command } = request;
    try {
      if (!parsed.success) throw new Refusal("A debug request needs a command, which is text.");
      if (request.type !== "request")
        throw new Refusal(`A debug request's type is "request", got ${JSON.stringify(request.type)}.`);
      if (!isCommand(command)) throw new Refusal(`This debugger has no request ${JSON.stringify(command)}.`);
      const body = await this.#run(command, request.arguments);
      return this.#response({ request_seq: seq, success: true, command, body });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.#response({ request_seq: seq, success: false, command, message });
    }
  }

  async #run(command: keyof typeof commands, given: Record<string, unknown>): Promise<object> {
    const { arguments: schema, needs, run } = commands[command] as Command<Record<string, unknown>>;
    if (command === "attach" && !this.#isInitialized)
      throw new Refusal("attach came before initialize: send that first.");
    if (needs === "attached") void this.#debugger.attached;
    const parsed = v.safeParse(schema, given);
    if (!parsed.success) throw new Refusal(`${command}: ${sentenceOf(parsed.issues[0])}`);
    const { threadId: thread = threadId } = given;
    if (thread !== threadId) throw new Refusal(`There is no thread ${thread}: the program has one, ${threadId}.`);
    const body = await run(this.#debugger, parsed.output);
    if (command === "initialize") {
      this.#isInitialized = true;
      this.#emit("initialized");
    }
    return body ?? {};
  }

  #response(rest: Omit<DebugProtocol.Response, "seq" | "type">): DebugProtocol.Response {
    return { seq: ++this.#seq, type: "response", ...rest };
  }

  #emit(event: string, body?: object): void {
    this.#onEvent({ seq: ++this.#seq, type: "event", event, ...(body ? { body } : {}) });
  }
}

/** What is wrong with an argument. */
function sentenceOf(issue: v.BaseIssue<unknown>): string {
  const name = v.getDotPath(issue) ?? "arguments";
  if (issue.received === "undefined") return `${name} is missing.`;
  const wanted = issue.type === "integer" ? "a whole number" : (issue.expected ?? "something else");
  return `${name} must be ${wanted}, got ${issue.received}.`;
}
