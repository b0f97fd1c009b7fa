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

/** Cuts a byte stream into frames, whatever the chunks. A large frame is copied once. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #wanted = headerBytes;

  read(chunk: Buffer): Frame[] {
    this.#chunks[this.#chunks.length] = chunk;
    this.#length += chunk.length;
    if (this.#length < this.#wanted) return [];
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const frames: Frame[] = [];
    let at = 0;
    this.#wanted = headerBytes;
    while (bytes.length - at >= headerBytes) {
      const size = bytes.readUInt32LE(at) + 4;
      if (bytes.length - at < size) {
        this.#wanted = size;
        break;
      }
      // By index: a cell may have replaced Array.prototype.push.
      frames[frames.length] = {
        kind: bytes.readUInt8(at + 4),
        cell: bytes.readUInt32LE(at + 5),
        marker: bytes.readUInt32LE(at + 9),
        body: bytes.subarray(at + headerBytes, at + size),
      };
      at += size;
    }
    const rest = bytes.subarray(at);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
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
