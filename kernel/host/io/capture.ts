/** Outputs of code that runs under `capture` go to its receiver; all others go to the cell that they belong to. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Output } from "../../protocol/output.ts";
import { sendEvent, sendStream } from "./output-buffer.ts";

type Receive = (output: Output) => void;

const context = new AsyncLocalStorage<Receive | undefined>();
const run = context.run.bind(context) as <R>(receive: Receive | undefined, action: () => R) => R;
const getStore = context.getStore.bind(context);

/** Runs code whose outputs go to `receive`, also those of the work that it starts. */
export function capture<R>(receive: Receive, action: () => R): R {
  return run(receive, action);
}

export function sendOutput(cell: number, output: Output): void {
  if (!isReceived(output)) sendEvent({ type: "output", cell, output });
}

export function sendText(name: "stdout" | "stderr", cell: number, text: string): void {
  if (text !== "" && !isReceived({ type: "stream", name, text })) sendStream(name, cell, text);
}

function isReceived(output: Output): boolean {
  const receive = getStore();
  if (!receive) return false;
  // What the receiver prints itself is not captured.
  run(undefined, () => receive(output));
  return true;
}
