import { deserialize, serialize } from "node:v8";
import { tf } from "../runtime/index.ts";
import { gatherOf } from "./collective.ts";
import { exchange, place } from "./exchange.ts";

/** Bytes of a worker's value for which one exchange is enough. */
const SMALL = 508;

/**
 * A value of every worker, in the order of ranks: of any kind that `structuredClone` copies.
 *
 * @throws WorkerError when the exchange fails
 */
export function gatherValues<T>(own: T): T[] {
  const { size } = place();
  if (size === 1) return [own];
  const bytes = serialize(own);
  const first = gatherBytes(bytes, SMALL);
  const longest = Math.max(...first.lengths);
  const { parts } = longest > SMALL ? gatherBytes(bytes, longest) : first;
  return parts.map((part) => deserialize(part) as T);
}

/** As much of the bytes of every worker as fits into the room for each, and how many there are. */
function gatherBytes(own: Uint8Array, room: number): { lengths: number[]; parts: Uint8Array[] } {
  const { rank, size } = place();
  const words = 1 + Math.ceil(room / 4);
  const all = new Int32Array(size * words);
  all[rank * words] = own.length;
  const bytesOf = (values: Int32Array, of: number) =>
    new Uint8Array(values.buffer, values.byteOffset + 4 * (of * words + 1), 4 * (words - 1));
  bytesOf(all, rank).set(own.subarray(0, room));
  const found = tf.tidy(() => exchange(gatherOf(tf.tensor1d(all, "int32"))).dataSync() as Int32Array);
  const ranks = Array.from({ length: size }, (_, of) => of);
  const lengths = ranks.map((of) => found[of * words]!);
  return { lengths, parts: ranks.map((of) => bytesOf(found, of).slice(0, Math.min(room, lengths[of]!))) };
}

/**
 * What `compute` gives in every worker, in the order of ranks. Where it throws in one of them, all throw: that one its own error, the
 * others an error that names it, so that nobody waits for it.
 */
export function gathered<T>(compute: () => T): T[] {
  const { rank, size } = place();
  if (size === 1) return [compute()];
  let error: unknown;
  let own: { value: T } | { fault: string };
  try {
    own = { value: compute() };
  } catch (caught) {
    error = caught;
    own = { fault: caught instanceof Error ? `${caught.name}: ${caught.message}` : String(caught) };
  }
  const all = gatherValues(own);
  if ("fault" in own) throw error;
  return all.map((each, of) => {
    if ("value" in each) return each.value;
    throw new Error(`worker ${of} failed, so worker ${rank} cannot continue: ${each.fault}`);
  });
}

/** What `compute` gives in the first worker, which alone calls it. */
export const ofFirst = <T>(compute: () => T): T =>
  gathered((): T | undefined => (place().rank === 0 ? compute() : undefined))[0] as T;
