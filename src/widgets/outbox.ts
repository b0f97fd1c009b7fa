/**
 * Limits how many updates go to the front end: a server drops messages beyond 1000 a second. Updates beyond the limit wait and are
 * joined, so that the last value of each attribute always arrives.
 */
import { onceBeforeCellEnds } from "./host.ts";

/** Messages that may go at once, and those that may follow each second. */
const BURST = 200;
const PER_SECOND = 250;
/** So many bytes count as one more message. */
const BYTES = 1 << 16;
const PERIOD_MS = 10;

let tokens = BURST;
let refilled = performance.now();
let timer: NodeJS.Timeout | undefined;
/** Sends a message, and returns how many bytes it had. */
type Send = () => number;
const waiting = new Set<Send>();
const sendAllBeforeCellEnds = onceBeforeCellEnds(() => sendWaiting());

/** Calls `send` now, or once later however often it is given meanwhile. */
export function sendSoon(send: Send): void {
  refill();
  if (waiting.size === 0 && tokens >= 1) {
    pay(send());
    return;
  }
  waiting.add(send);
  sendWaiting(tokens);
  sendAllBeforeCellEnds();
}

/** Sends what waits, at most so many. */
export function sendWaiting(most = waiting.size): void {
  clearTimeout(timer);
  timer = undefined;
  for (const send of [...waiting].slice(0, Math.max(0, Math.floor(most)))) {
    waiting.delete(send);
    pay(send());
  }
  if (waiting.size === 0) return;
  timer = setTimeout(() => {
    refill();
    sendWaiting(tokens);
  }, PERIOD_MS);
}

function pay(bytes: number): void {
  tokens -= 1 + bytes / BYTES;
}

function refill(): void {
  const now = performance.now();
  tokens = Math.min(BURST, tokens + ((now - refilled) * PER_SECOND) / 1000);
  refilled = now;
}
