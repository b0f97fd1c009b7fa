/**
 * Work on long cells runs on a separate thread: a megabyte takes seconds to parse, during which the kernel could answer
 * no request, not even an interrupt.
 */
import { Worker } from "node:worker_threads";
import type { Answer, Call } from "./worker.ts";

/** The number of characters that can be parsed in a few milliseconds. */
const short = 20_000;
/** The parser copies the line into each error, and a text may have as many errors as characters. */
const shortLine = 3000;
/** Enough for trees that are deep without nested brackets, such as sums of thousands of terms. */
const stackSizeMb = 64;

export function isLong(text: string): boolean {
  return text.length > short || (text.length > shortLine && new RegExp(`.{${shortLine}}`).test(text));
}

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, { resolve: (result: never) => void; reject: (why: Error) => void }>();

/** Calls the function `name` of a module (a URL) on another thread. Arguments and result must be cloneable. */
export function offThread<Result>(module: string, name: string, ...args: unknown[]): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    const id = ++lastId;
    waiting.set(id, { resolve, reject });
    const running = thread();
    running.ref();
    running.postMessage({ id, module, name, args } satisfies Call);
  });
}

function thread(): Worker {
  if (worker) return worker;
  const started = new Worker(new URL("./worker.js", import.meta.url), { resourceLimits: { stackSizeMb } });
  const end = (why: Error) => {
    if (worker === started) worker = undefined;
    for (const { reject } of waiting.values()) reject(why);
    waiting.clear();
  };
  started.on("message", (answer: Answer) => {
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) started.unref();
    if ("error" in answer) request?.reject(new Error(answer.error));
    else request?.resolve(answer.result as never);
  });
  started.on("error", end);
  started.on("exit", () => end(new Error("the thread that parses long cells ended")));
  worker = started;
  return started;
}
