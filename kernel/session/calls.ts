/** Requests to the host other than cells: each has one answer, or none when the host is busy or gone. */
import type { Command, Event } from "../protocol/host.ts";
import { OpenRequests } from "./open-requests.ts";

export class HostRefusal extends Error {
  constructor(ename: string, evalue: string) {
    super(evalue);
    this.name = ename;
  }
}

type Answer = Extract<Event, { type: "answer" | "refused" }>;

/** Limits the comm messages that wait for a host that is running a cell. */
const MOST_OPEN = 10_000;

export class HostCalls {
  readonly #open = new OpenRequests<unknown>();

  /** Resolves to undefined after `patience` milliseconds without an answer, and when the host ends. */
  ask<T>(send: (command: Command) => void, method: string, params: object, patience?: number): Promise<T | undefined> {
    if (this.#open.size >= MOST_OPEN)
      throw new HostRefusal("Busy", `the program is busy: ${MOST_OPEN} questions wait for an answer`);
    const answer = this.#open.ask(
      (call) => send({ type: "call", call, method, params }),
      patience,
      (request) => request.resolve(undefined),
    );
    return answer as Promise<T | undefined>;
  }

  settle(event: Answer): void {
    const question = this.#open.get(event.call);
    if (event.type === "answer") question?.resolve(event.value ?? undefined);
    else question?.reject(new HostRefusal(event.ename, event.evalue));
  }

  /** The host is gone: open questions resolve to undefined. */
  drop(): void {
    this.#open.settleAll(({ resolve }) => resolve(undefined));
  }
}
