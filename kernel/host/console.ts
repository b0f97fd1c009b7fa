import { Buffer } from "node:buffer";
import { Console } from "node:console";
import process from "node:process";
import { Writable } from "node:stream";
import { currentId } from "./cells.ts";
import { sendEvent, sendStream } from "./outbox.ts";
import { defineProperty } from "./primordials.ts";

type StreamName = "stdout" | "stderr";

/** Gives the person's code a console, `process.stdout` and `process.stderr` that write to the cell they run for. */
export function installConsole(): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = new CellStream(name);
    defineProperty(process, name, { value: stream, configurable: true, enumerable: true, writable: true });
  }
  const own = new Console({ stdout: sink("stdout"), stderr: sink("stderr"), ignoreErrors: false });
  const original = globalThis.console;
  for (const key of Object.keys(original)) if (!(key in own)) Reflect.set(own, key, Reflect.get(original, key));
  own.clear = () => sendEvent({ type: "output", cell: currentId(), output: { type: "clear", wait: false } });
  Reflect.set(own, "Console", Console);
  defineProperty(globalThis, "console", { value: own, configurable: true, enumerable: false, writable: true });
}

function sink(name: StreamName): NodeJS.WritableStream {
  return {
    write(text: string): boolean {
      sendStream(name, currentId(), text);
      return true;
    },
  } as unknown as NodeJS.WritableStream;
}

/** A stream that writes at once and never buffers. */
class CellStream extends Writable {
  readonly fd: number;
  readonly #name: StreamName;

  constructor(name: StreamName) {
    super({ decodeStrings: false });
    this.#name = name;
    this.fd = name === "stdout" ? 1 : 2;
  }

  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString("utf8");
    sendStream(this.#name, currentId(), text);
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") process.nextTick(done as () => void);
    return true;
  }

  override _destroy(_error: Error | null, callback: () => void): void {
    callback();
  }
}
