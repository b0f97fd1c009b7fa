import { Buffer } from "node:buffer";
import { Console } from "node:console";
import process from "node:process";
import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { inspect } from "node:util";
import { defineProperty, intrinsics } from "../primordials.ts";
import { currentId } from "../run/cells.ts";
import { sendOutput, sendText } from "./capture.ts";

type StreamName = "stdout" | "stderr";

/** Gives user code a console, `process.stdout` and `process.stderr` that write to the cell whose code runs. */
export function installConsole(): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = new CellStream(name);
    defineProperty(process, name, { value: stream, configurable: true, enumerable: true, writable: true });
  }
  const cellConsole = new Console({ stdout: sink("stdout"), stderr: sink("stderr"), ignoreErrors: false });
  const original = globalThis.console;
  for (const key of Object.keys(original))
    if (!(key in cellConsole)) Reflect.set(cellConsole, key, Reflect.get(original, key));
  cellConsole.clear = () => clearOutput();
  Reflect.set(cellConsole, "Console", Console);
  defineProperty(globalThis, "console", { value: cellConsole, configurable: true, enumerable: false, writable: true });
  const property = { value: clearOutput, configurable: true, enumerable: false, writable: true };
  defineProperty(globalThis, "clearOutput", property);
}

/**
 * Clears the cell's outputs so far, like IPython's `clear_output`. With `wait`, they are cleared when the next output
 * arrives, so that an output that is redrawn often does not flicker.
 */
export function clearOutput({ wait = false }: { wait?: boolean } = {}): void {
  sendOutput(currentId(), { type: "clear", wait: wait === true });
}

function sink(name: StreamName): NodeJS.WritableStream {
  return {
    write(text: string): boolean {
      sendText(name, currentId(), text);
      return true;
    },
  } as unknown as NodeJS.WritableStream;
}

type Done = (error?: Error | null) => void;

/** Like Node's stdout, but writes at once without a buffer, and a cell cannot close it for later cells. */
class CellStream extends Writable {
  readonly fd: number;
  readonly #name: StreamName;
  /** Holds the first bytes of a character until the next write completes it. */
  #decoder = new StringDecoder("utf8");
  #decodedFor = 0;

  constructor(name: StreamName) {
    super({ decodeStrings: false, autoDestroy: false, emitClose: false });
    this.#name = name;
    this.fd = name === "stdout" ? 1 : 2;
  }

  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const cell = currentId();
    if (cell !== this.#decodedFor) this.#flush();
    this.#decodedFor = cell;
    const bytes = toBytes(chunk, encoding);
    const text = typeof bytes === "string" ? this.#decoder.end() + bytes : this.#decoder.write(bytes as Buffer);
    sendText(this.#name, cell, text);
    later(typeof encoding === "function" ? encoding : callback);
    return true;
  }

  /** Does not close the stream, as in Node's stdout. A later write is not an error. */
  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    if (chunk !== undefined && chunk !== null && typeof chunk !== "function") this.write(chunk, encoding);
    this.#flush();
    const parameters = [chunk, encoding, callback];
    for (let index = 0; index < parameters.length; index++) later(parameters[index]);
    // `pipeline` waits for this event.
    later(() => this.emit("finish"));
    return this;
  }

  /** Does not destroy the stream permanently, as in Node's stdout. */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    (this as unknown as { _undestroy(): void })._undestroy();
    later(() => this.emit("close"));
  }

  /** Flushes an incomplete character. */
  #flush(): void {
    sendText(this.#name, this.#decodedFor, this.#decoder.end());
  }
}

function later(done: unknown): void {
  if (typeof done === "function") process.nextTick(done as Done);
}

/** Returns text unchanged when its encoding is UTF-8, and otherwise bytes. Throws the same errors as Node's streams. */
function toBytes(chunk: unknown, encoding: unknown): string | Uint8Array {
  if (typeof chunk === "string") {
    if (typeof encoding !== "string" || encoding === "utf8" || encoding === "utf-8") return chunk;
    if (!Buffer.isEncoding(encoding)) throw coded("ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);
    return Buffer.from(chunk, encoding);
  }
  if (chunk === null) throw coded("ERR_STREAM_NULL_VALUES", "May not write null values to stream");
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const expected = "of type string or an instance of Buffer, TypedArray, or DataView";
  throw coded(
    "ERR_INVALID_ARG_TYPE",
    `The "chunk" argument must be ${expected}. Received ${inspect(chunk, { depth: 0 })}`,
  );
}

function coded(code: string, message: string): Error {
  return Object.assign(new intrinsics.TypeError(message), { code });
}
