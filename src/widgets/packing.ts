/** Bytes leave the state of a widget and travel beside it, and widgets become references (jupyter.widget protocol 2.1.0). */
import { isWidget, referenceTo } from "./registry.ts";

type Path = (string | number)[];

export interface Packed {
  state: Record<string, unknown>;
  bufferPaths: Path[];
  buffers: Uint8Array[];
}

/** The most bytes in one message: the pipe between two processes carries them as text, which V8 limits to 512 MB. */
export const MOST_BYTES = 256 << 20;

/**
 * Takes the bytes out: an entry of an object goes, an element of an array becomes null.
 *
 * @throws RangeError for more bytes than one message can carry
 */
export function pack(values: Readonly<Record<string, unknown>>): Packed {
  const buffers: Uint8Array[] = [];
  const bufferPaths: Path[] = [];
  const place = (value: unknown, path: Path): unknown => {
    if (isWidget(value)) return referenceTo(value);
    const bytes = bytesOf(value);
    if (bytes) {
      buffers.push(bytes);
      bufferPaths.push(path);
      return undefined;
    }
    if (Array.isArray(value)) return value.map((each, index) => place(each, [...path, index]) ?? null);
    if (typeof value !== "object" || value === null || typeof (value as { toJSON?: unknown }).toJSON === "function")
      return value;
    const entries = Object.entries(value).map(([name, each]) => [name, place(each, [...path, name])] as const);
    return Object.fromEntries(entries.filter(([, each]) => each !== undefined));
  };
  const state = place({ ...values }, []) as Record<string, unknown>;
  const size = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (size > MOST_BYTES)
    throw new RangeError(
      `the bytes of a widget's message must be at most ${MOST_BYTES >> 20} MB, got ${(size / 2 ** 20).toFixed(0)} MB: send them in parts`,
    );
  return { state, bufferPaths, buffers };
}

/**
 * Puts the bytes back in the places that `paths` names.
 *
 * @throws TypeError for a path that does not lead into the state
 */
export function putBuffers(state: Record<string, unknown>, paths: unknown, buffers: readonly Uint8Array[]): void {
  for (const [index, path] of (Array.isArray(paths) ? paths : []).entries()) {
    const [last, ...above] = Array.isArray(path) ? path.toReversed() : [];
    let at: unknown = state;
    for (const step of above.reverse()) at = isOpen(at, step) ? at[step] : undefined;
    const bytes = buffers[index];
    if (!isOpen(at, last) || !bytes)
      throw new TypeError(`buffer ${index} of ${buffers.length} has no place in the state: ${JSON.stringify(path)}`);
    at[last] = bytes;
  }
}

function isOpen(at: unknown, step: unknown): at is Record<string | number, unknown> {
  return (
    typeof at === "object" &&
    at !== null &&
    (typeof step === "string" || typeof step === "number") &&
    step !== "__proto__"
  );
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}
