/** V8's inspector in the host process: requests of the Chrome DevTools Protocol, each with its answer. */
import type { Protocol } from "devtools-protocol";
import type { ProtocolMapping } from "devtools-protocol/types/protocol-mapping.js";
import type { DebugCommand, DebugMessage } from "../protocol/host.ts";
import { OpenRequests } from "./open-requests.ts";

type Commands = ProtocolMapping.Commands;
export type Params<Method extends keyof Commands> = Commands[Method]["paramsType"][0];
export type Result<Method extends keyof Commands> = Commands[Method]["returnType"];

/** Events that the debugger reads. */
export type InspectorEvent =
  | { method: "Debugger.paused"; params: Protocol.Debugger.PausedEvent }
  | { method: "Debugger.resumed"; params: object }
  | { method: "Debugger.scriptParsed"; params: Protocol.Debugger.ScriptParsedEvent }
  | { method: "Debugger.breakpointResolved"; params: Protocol.Debugger.BreakpointResolvedEvent };

/** Milliseconds for which a request waits for a main thread that does not answer, because it is in native code. */
const patience = 5000;
const lateAnswer = `the program did not answer within ${patience / 1000} s: it is in a native call. Try again later.`;

/** V8 refused a request. */
export class InspectorError extends Error {}

/** One debugger's connection to one host. It opens with the first request. */
export class HostInspector {
  readonly #send: (command: DebugCommand) => void;
  readonly #onEvent: (event: InspectorEvent) => void;
  readonly #open = new OpenRequests<object>();
  /** The global under which code in the host finds its functions. */
  readonly hostName: string;
  #closed = false;

  constructor(hostName: string, send: (command: DebugCommand) => void, onEvent: (event: InspectorEvent) => void) {
    this.hostName = hostName;
    this.#send = send;
    this.#onEvent = onEvent;
  }

  post<Method extends keyof Commands>(method: Method, params?: Params<Method>): Promise<Result<Method>> {
    if (this.#closed) return Promise.reject(new InspectorError("the notebook's process has ended"));
    const answer = this.#open.ask(
      (id) => this.#send({ type: "post", id, method, params: params ?? {} }),
      patience,
      ({ reject }) => reject(new InspectorError(lateAnswer)),
    );
    return answer as Promise<Result<Method>>;
  }

  receive(message: DebugMessage): void {
    if (this.#closed) return;
    if ("method" in message) this.#onEvent(message as InspectorEvent);
    else if ("error" in message) this.#open.get(message.id)?.reject(new InspectorError(message.error));
    else this.#open.get(message.id)?.resolve(message.result);
  }

  /** Ends the debugger's session in the host: its breakpoints go, and stopped code goes on. */
  detach(): void {
    if (!this.#closed) this.#send({ type: "detach" });
    this.close();
  }

  /** The host has ended. Open requests are refused. */
  close(): void {
    this.#closed = true;
    this.#open.settleAll(({ reject }) => reject(new InspectorError("the notebook's process ended before it answered")));
  }
}
