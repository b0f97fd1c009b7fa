import { Buffer } from "node:buffer";
import { writeSync } from "node:fs";
import { frameKinds, headerBytes, lengthOf } from "../../protocol/frames.ts";
import type { Event } from "../../protocol/host.ts";
import { fds } from "../../protocol/host.ts";
import { now, parse, slice, stringify, uncurryThis } from "../primordials.ts";
import { endGroup } from "../run/exit.ts";
import { withoutToJson } from "../to-json.ts";

const allocate = Buffer.allocUnsafe;
const byteLength = Buffer.byteLength;
const { write, writeUInt8, writeUInt32LE } = Buffer.prototype;
const writeText = uncurryThis(write as (text: string, offset: number, encoding: BufferEncoding) => number);
const writeByte = uncurryThis(writeUInt8);
const writeWord = uncurryThis(writeUInt32LE);
const setBytes = uncurryThis(Uint8Array.prototype.set as (bytes: Uint8Array, offset: number) => void);
const wait = Atomics.wait;
const idle = new Int32Array(new SharedArrayBuffer(4));

let marker = 0;
let markerText = "";
let lastWrite = 0;
/** Milliseconds without a frame after which native code may have written output. */
const quiet = 1;

export function useMarker(token: string): void {
  markerText = token;
}

export function sendEvent(event: Event): void {
  sendEncoded("cell" in event ? event.cell : 0, encodeEvent(event));
}

/** Encodes an event as JSON. It calls no user code, because a user's values in it have become plain data (render/json.ts). */
export function encodeEvent(event: Event): string {
  return withoutToJson(() => stringify(event));
}

export function sendEncoded(cell: number, body: string): void {
  sendFrame(frameKinds.json, cell, body);
}

/** Sends a long text in pieces, so that the session reads one while the next is written. */
export function sendStream(name: "stdout" | "stderr", cell: number, text: string): void {
  if (text === "") return;
  let from = 0;
  while (text.length - from > longestPiece) {
    let to = from + longestPiece;
    const last = charCodeAt(text, to - 1);
    // A surrogate pair is not split.
    if (last >= 0xd800 && last < 0xdc00) to--;
    sendFrame(frameKinds[name], cell, slice(text, from, to));
    from = to;
  }
  sendFrame(frameKinds[name], cell, from === 0 ? text : slice(text, from));
}

/** The most UTF-16 units in one piece. */
const longestPiece = 1 << 19;
const charCodeAt = uncurryThis(String.prototype.charCodeAt);

/** Above 0 while host code runs that an interrupt must not end. */
let uninterruptible = 0;

/** Runs host code that an interrupt must not end. The code must not call user code. */
export function uninterrupted(action: () => void): void {
  uninterruptible++;
  try {
    action();
  } finally {
    uninterruptible--;
  }
}

export function isUninterrupted(): boolean {
  return uninterruptible > 0;
}

/** Resets the count when nothing is on the stack: interrupted code did not decrement it. */
export function allIsDone(): void {
  uninterruptible = 0;
}

const gatherMost = 1 << 14;
/** Frames that are sent with the next frame. */
let gathered: Buffer | undefined;
let gathering = false;

/** Sends all events of `action` in one write. Each write wakes the session, which takes as long as running a small cell. */
export function together(action: () => void): void {
  gathering = true;
  try {
    action();
  } finally {
    gathering = false;
    const frames = gathered;
    gathered = undefined;
    if (frames) writeAll(frames);
  }
}

/** Writes a frame synchronously. It has been sent when this returns, even when an endless loop follows. */
function sendFrame(kind: number, cell: number, body: string): void {
  if (now() - lastWrite > quiet) mark();
  const size = byteLength(body);
  const frame = allocate(headerBytes + size);
  writeWord(frame, headerBytes - 4 + size, 0);
  writeByte(frame, kind, 4);
  writeWord(frame, cell, 5);
  writeWord(frame, marker, 9);
  writeText(frame, body, headerBytes, "utf8");
  const before = gathered;
  gathered = undefined;
  const bytes = before ? joined(before, frame) : frame;
  if (gathering && lengthOf(bytes) < gatherMost) gathered = bytes;
  else writeAll(bytes);
}

function joined(first: Buffer, second: Buffer): Buffer {
  const both = allocate(lengthOf(first) + lengthOf(second));
  setBytes(both, first, 0);
  setBytes(both, second, lengthOf(first));
  return both;
}

function writeAll(bytes: Buffer): void {
  const length = lengthOf(bytes);
  for (let sent = 0; sent < length; ) sent += writeSome(fds.outputs, bytes, sent);
  lastWrite = now();
}

/** Writes a mark to the native pipes. The session reads it after the output that native code wrote before. */
export function mark(): void {
  const next = marker + 1;
  const text = `\u0000${markerText}${next}\u0000`;
  const bytes = allocate(byteLength(text));
  writeText(bytes, text, 0, "utf8");
  for (let fd = 1; fd <= 2; fd++) {
    try {
      writeSome(fd, bytes, 0);
    } catch {
      // The user closed the pipe and the session has read its end, so no native output can follow.
    }
  }
  marker = next;
  lastWrite = now();
}

function writeSome(fd: number, bytes: Buffer, from: number): number {
  for (;;) {
    try {
      return writeSync(fd, bytes, from, lengthOf(bytes) - from);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") wait(idle, 0, 0, 1);
      else if (code === "EPIPE" && fd === fds.outputs) endGroup();
      else throw error;
    }
  }
}

export function readCommand<Kind>(body: Buffer): Kind {
  return parse(decode(body)) as Kind;
}

const toText = uncurryThis(Buffer.prototype.toString as (encoding: BufferEncoding) => string);
function decode(body: Buffer): string {
  return toText(body, "utf8");
}
