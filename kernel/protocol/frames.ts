import { Buffer } from "node:buffer";

/**
 * A frame is: length of the rest (uint32 LE), kind (uint8), cell (uint32 LE), marker (uint32 LE), body.
 * A stream frame's body is the text in UTF-8; any other frame's body is JSON. `marker` is the last mark that was
 * written to fd 1 and 2 before the frame: all native output up to it comes first.
 */
export const frameKinds = { json: 0, stdout: 1, stderr: 2 } as const;
export const headerBytes = 13;

export interface Frame {
  kind: number;
  cell: number;
  marker: number;
  body: Buffer;
}

// As they are before a cell runs, because one may replace them in the host.
const { concat } = Buffer;
const { readUInt8, readUInt32LE, subarray } = Buffer.prototype;
const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { get: length } = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype)!, "length")!;
/** The length of bytes, in bytes. */
export const lengthOf = (bytes: Uint8Array): number => apply(length!, bytes, []) as number;
const byteAt = (bytes: Buffer, at: number): number => apply(readUInt8, bytes, [at]) as number;
const wordAt = (bytes: Buffer, at: number): number => apply(readUInt32LE, bytes, [at]) as number;
const part = (bytes: Buffer, from: number, to: number): Buffer => apply(subarray, bytes, [from, to]) as Buffer;

/**
 * Cuts a byte stream into frames, whatever the chunks. A large frame is copied once. Throws for bytes that are no frame, as a
 * program writes them that takes the pipe for a file of its own.
 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #wanted = headerBytes;

  read(chunk: Buffer): Frame[] {
    this.#chunks[this.#chunks.length] = chunk;
    this.#length += lengthOf(chunk);
    if (this.#length < this.#wanted) return [];
    const bytes = this.#chunks.length === 1 ? chunk : concat(this.#chunks);
    const end = this.#length;
    const frames: Frame[] = [];
    let at = 0;
    this.#wanted = headerBytes;
    while (end - at >= headerBytes) {
      const size = wordAt(bytes, at) + 4;
      const kind = byteAt(bytes, at + 4);
      if (size < headerBytes || kind > frameKinds.stderr) throw new Error("the bytes are no frame");
      if (end - at < size) {
        this.#wanted = size;
        break;
      }
      // By index: a cell may have replaced Array.prototype.push.
      frames[frames.length] = {
        kind,
        cell: wordAt(bytes, at + 5),
        marker: wordAt(bytes, at + 9),
        body: part(bytes, at + headerBytes, at + size),
      };
      at += size;
    }
    this.#chunks = at < end ? [part(bytes, at, end)] : [];
    this.#length = end - at;
    return frames;
  }
}

export function encodeFrame(value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt32LE(headerBytes - 4 + body.length, 0);
  frame.writeUInt8(frameKinds.json, 4);
  frame.writeUInt32LE(0, 5);
  frame.writeUInt32LE(0, 9);
  body.copy(frame, headerBytes);
  return frame;
}
