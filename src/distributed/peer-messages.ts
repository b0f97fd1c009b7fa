/** What a worker tells of itself. */
export interface Told {
  /** How many exchanges it has come to. */
  exchanges: number;
  /** The last of them. */
  label: string;
}

/** What is known of another worker: what it told, that it accepts connections, does not, has ended, or that an exchange failed in it. */
export type Answer = Told | "connected" | "refused" | "silent" | "ended" | "failed";

/** Another worker. */
export interface Peer {
  rank: number;
  address: string;
}

/** What a worker asks its thread. */
export type Question =
  /** Which of them accept connections, at the latest after this time. */
  | { kind: "wait"; peers: readonly Peer[]; milliseconds: number }
  /** To connect to their threads. */
  | { kind: "meet"; peers: readonly Peer[]; milliseconds: number }
  /** What has become of them, because an exchange has failed here. */
  | { kind: "ask"; peers: readonly Peer[]; milliseconds: number };

/** Bytes of the memory that holds what a worker tells. */
export const TOLD_BYTES = 1024;

export function tell(memory: SharedArrayBuffer, { exchanges, label }: Told): void {
  const words = new Int32Array(memory);
  const bytes = new TextEncoder().encode(label).subarray(0, TOLD_BYTES - 8);
  new Uint8Array(memory, 8).set(bytes);
  words[1] = bytes.length;
  words[0] = exchanges;
}

export function toldFrom(memory: SharedArrayBuffer): Told {
  const [exchanges, length] = new Int32Array(memory);
  // A decoder does not take shared memory.
  return { exchanges: exchanges!, label: new TextDecoder().decode(new Uint8Array(memory, 8, length!).slice()) };
}
