/** What is called when a widget changes or its page sends a message. */
import { AsyncResource } from "node:async_hooks";
import { inspect } from "node:util";
import { widgetHost } from "./host.ts";

/** A change of one attribute. */
export interface Change<T, K extends keyof T> {
  name: K;
  old: T[K];
  value: T[K];
  /** Whether a person made it in the front end. */
  isFromFrontEnd: boolean;
}

export type Listener = (change: Change<Record<string, unknown>, string>) => void;
export type MessageListener = (content: unknown, buffers: readonly Uint8Array[]) => void;

/**
 * The listener in the cell that runs now, where what it prints and its errors appear.
 *
 * @throws TypeError for a value that is no function
 */
export function inThisCell<Args extends unknown[]>(listener: (...args: Args) => void): (...args: Args) => void {
  if (typeof listener !== "function") throw new TypeError(`a listener must be a function, got ${inspect(listener)}`);
  return AsyncResource.bind((...args: Args): void => {
    try {
      listener(...args);
    } catch (error) {
      const host = widgetHost();
      if (!host) throw error;
      host.report(error);
    }
  });
}
