import type { MemoryCategory } from "../runtime/index.ts";
import type { Piece, Recording, Run } from "./recorder.ts";

/** Bytes of one op, layer, cause or storage type. */
export interface Share {
  /** Bytes held when the total was at its peak. */
  atPeak: number;
  /** The peak of this share alone. */
  most: number;
  /** Bytes held at the end minus bytes held at the beginning. */
  retained: number;
}

/** The bytes, calls and milliseconds of one op or layer. */
export type TimedShare = Share & Run;

/** Native memory during a recording, in bytes. */
export interface Breakdown {
  /** The most bytes held at one moment. */
  peak: number;
  /** Bytes held at the end minus bytes held at the beginning. */
  retained: number;
  byCause: Record<MemoryCategory, Share>;
  byType: Record<string, Share>;
  byOp: Record<string, TimedShare>;
  byLayer: Record<string, TimedShare>;
  /** The bytes held at the peak, by cause, layer and op. */
  peakParts: { cause: MemoryCategory; layer: string; op: string; bytes: number }[];
  /** The bytes held over time (`at` in milliseconds), the largest of each short interval, in total and by cause. */
  timeline: { at: number; total: number; byCause: Record<MemoryCategory, number> }[];
}

export const causes = [
  "parameters",
  "gradients",
  "optimizer state",
  "activations",
  "attention scores",
  "temporary",
] as const satisfies readonly MemoryCategory[];

const POINTS = 400;

export function breakDown(recording: Recording): Breakdown {
  const { pieces, before, ops, layers } = recording;
  const { peakAt, peak, timeline } = overTime(recording);
  const held = heldAfter(recording, peakAt);
  const left = heldAfter(recording, recording.events.length);
  const shares = <Key extends string>(keyOf: (piece: Piece) => Key, keys: readonly Key[] = []) => {
    const result = Object.fromEntries(keys.map((key) => [key, none()])) as Record<Key, Share>;
    // Every piece has an event, so every key is present.
    for (const [key, most] of mostOf(recording, keyOf)) result[key] = { ...none(), most };
    for (const i of held) result[keyOf(pieces[i]!)].atPeak += pieces[i]!.bytes;
    for (const i of left) result[keyOf(pieces[i]!)].retained += pieces[i]!.bytes;
    for (let i = 0; i < before; i++) result[keyOf(pieces[i]!)].retained -= pieces[i]!.bytes;
    return result;
  };
  const timed = (shares: Record<string, Share>, runs: Map<string, Run>) => {
    const names = new Set([...Object.keys(shares), ...runs.keys()]);
    return Object.fromEntries(
      [...names].map((name) => [
        name,
        { ...(shares[name] ?? none()), ...(runs.get(name) ?? { calls: 0, milliseconds: 0 }) },
      ]),
    );
  };
  let retained = 0;
  for (const i of left) retained += pieces[i]!.bytes;
  for (let i = 0; i < before; i++) retained -= pieces[i]!.bytes;
  return {
    peak,
    retained,
    byCause: shares(({ cause }) => cause, causes),
    byType: shares(({ type }) => type),
    byOp: timed(
      shares(({ op }) => op),
      ops,
    ),
    byLayer: timed(
      shares(({ layer }) => layer),
      layers,
    ),
    peakParts: parts(pieces, held),
    timeline,
  };
}

const none = (): Share => ({ atPeak: 0, most: 0, retained: 0 });

/** The pieces that are held after the first `end` events. */
function heldAfter({ before, events }: Recording, end: number): Set<number> {
  const held = new Set<number>(Array.from({ length: before }, (_, i) => i));
  for (let e = 0; e < end; e++) {
    const event = events[e]!;
    if (event > 0) held.add(event - 1);
    else held.delete(-event - 1);
  }
  return held;
}

/** Visits every event in order; `change` is the piece's bytes, negative when it is freed. */
function walk(
  { pieces, before, events, times }: Recording,
  visit: (piece: Piece, change: number, event: number) => void,
) {
  for (let i = 0; i < before; i++) visit(pieces[i]!, pieces[i]!.bytes, -1);
  for (let e = 0; e < times.length; e++) {
    const event = events[e]!;
    const piece = pieces[Math.abs(event) - 1]!;
    visit(piece, event > 0 ? piece.bytes : -piece.bytes, e);
  }
}

function mostOf<Key extends string>(recording: Recording, keyOf: (piece: Piece) => Key): Map<Key, number> {
  const live = new Map<Key, number>();
  const most = new Map<Key, number>();
  walk(recording, (piece, change) => {
    const key = keyOf(piece);
    const now = (live.get(key) ?? 0) + change;
    live.set(key, now);
    most.set(key, Math.max(now, most.get(key) ?? 0));
  });
  return most;
}

function overTime(recording: Recording): { peak: number; peakAt: number; timeline: Breakdown["timeline"] } {
  const { times } = recording;
  const span = (times.at(-1) ?? 0) / POINTS;
  const live = Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<MemoryCategory, number>;
  const timeline: Breakdown["timeline"] = [];
  let total = 0;
  let peak = 0;
  let peakAt = 0;
  let bucket = -1;
  walk(recording, ({ cause }, change, event) => {
    live[cause] += change;
    total += change;
    if (total > peak) {
      peak = total;
      peakAt = event + 1;
    }
    if (event < 0) return;
    const at = times[event]!;
    const here = span > 0 ? Math.floor(at / span) : 0;
    if (here !== bucket) timeline.push({ at, total: -1, byCause: live });
    bucket = here;
    const point = timeline.at(-1)!;
    if (total > point.total) Object.assign(point, { at, total, byCause: { ...live } });
  });
  return { peak, peakAt, timeline };
}

function parts(pieces: readonly Piece[], held: ReadonlySet<number>): Breakdown["peakParts"] {
  const groups = new Map<string, Breakdown["peakParts"][number]>();
  for (const i of held) {
    const { cause, layer, op, bytes } = pieces[i]!;
    const key = [cause, layer, op].join("\n");
    const group = groups.get(key);
    if (group) group.bytes += bytes;
    else groups.set(key, { cause, layer, op, bytes });
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes);
}
