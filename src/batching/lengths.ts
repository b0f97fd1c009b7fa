import { checkPositiveInteger } from "../base/checks.ts";

/** The lengths of one sequence an example, or of several by name: `{ source: [5, 3], target: [6, 2] }`. */
export type Lengths = ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>>;

/** One value for all sequences of an example, or one for each name; `N` are the names. */
export type PerName<T, N extends string> = [N] extends [never] ? T : T | { readonly [name in N]?: T };

/** Most tokens of a sequence, and which end of a longer one is cut. */
export interface LengthLimit<N extends string = never> {
  /** Most tokens kept of a sequence. No limit by default. */
  maxLength?: PerName<number, N>;
  /** Which end of a sequence longer than `maxLength` is cut: `"end"` (the default), `"start"`, or `false` to throw. */
  truncate?: PerName<"end" | "start" | false, N>;
}

/** Which length of an example counts: that of one name, the longest or the sum of all, or a positive integer of your own. */
export type LengthRule<N extends string> = N | "sum" | "longest" | ((lengths: Readonly<Record<N, number>>) => number);

/** The tokens kept of one sequence of each example. */
export interface LengthList {
  /** Undefined where an example is one sequence. */
  name: string | undefined;
  lengths: Int32Array;
  /** Most tokens of a sequence; infinite without a limit. */
  limit: number;
}

/** The tokens kept of each example. */
export interface ExampleLengths {
  lists: readonly LengthList[];
  /** Over all sequences of an example. */
  total: Int32Array;
  /** How many sequences lose tokens, and how many tokens are lost. */
  truncated: { sequences: number; tokens: number };
}

/**
 * The lengths within the limit.
 *
 * @throws RangeError for an invalid length or limit, or names with different numbers of lengths
 */
export function limitLengths(lengths: Lengths, { maxLength, truncate }: LengthLimit<string>): ExampleLengths {
  const truncated = { sequences: 0, tokens: 0 };
  const given = byName(lengths);
  const names = given.map(([name]) => name);
  checkNames("maxLength", maxLength, names);
  checkNames("truncate", truncate, names);
  const lists = given.map(([name, list]) => {
    checkLengths(list, name);
    if (list.length !== given[0]![1].length) {
      throw new RangeError(
        `${name} has the lengths of ${list.length} sequences, but ${names[0]} has ${given[0]![1].length}`,
      );
    }
    const limit = valueFor(maxLength, name) ?? Number.POSITIVE_INFINITY;
    if (limit !== Number.POSITIVE_INFINITY) checkPositiveInteger(optionText("maxLength", name), limit);
    const mayTruncate = valueFor(truncate, name) !== false;
    return { name, limit, lengths: Int32Array.from(list, (length, i) => kept(length, i, name, limit, mayTruncate)) };
  });
  given.forEach(([, list], l) => {
    lists[l]!.lengths.forEach((length, i) => {
      if (length === list[i]) return;
      truncated.sequences++;
      truncated.tokens += list[i]! - length;
    });
  });
  const total = lists[0]!.lengths.map((_, i) => lists.reduce((sum, list) => sum + list.lengths[i]!, 0));
  return { lists, total, truncated };
}

function kept(length: number, i: number, name: string | undefined, limit: number, mayTruncate: boolean): number {
  if (length <= limit || mayTruncate) return Math.min(length, limit);
  throw new RangeError(
    `${sequenceText(i, name)} has ${length} tokens, but maxLength is ${limit}: raise it, or set truncate`,
  );
}

/**
 * The length that counts of each example.
 *
 * @throws RangeError for a name that the examples do not have, or a rule that gives no positive integer
 */
export function ruleLengths({ lists, total }: ExampleLengths, by: LengthRule<string> = "sum"): Int32Array {
  if (typeof by === "function") {
    return total.map((_, i) => {
      const own = by(Object.fromEntries(lists.map(({ name, lengths }) => [name, lengths[i]!])));
      if (!Number.isInteger(own) || own < 1) {
        throw new RangeError(`by must give a positive integer, got ${own} for example ${i}`);
      }
      return own;
    });
  }
  const one = lists.find(({ name }) => name === by);
  if (one) return one.lengths;
  if (by === "sum") return total;
  if (by === "longest") return total.map((_, i) => Math.max(...lists.map(({ lengths }) => lengths[i]!)));
  const known = lists.map(({ name }) => JSON.stringify(name)).join(", ");
  throw new RangeError(`by must be "sum", "longest", a function or one of ${known}, got ${JSON.stringify(by)}`);
}

/** The lengths as a list for each name; one without a name where an example is one sequence. */
function byName(lengths: Lengths): [name: string | undefined, list: ArrayLike<number>][] {
  if (Array.isArray(lengths) || typeof lengths.length === "number") return [[undefined, lengths as ArrayLike<number>]];
  const lists = Object.entries(lengths as Readonly<Record<string, ArrayLike<number>>>);
  if (lists.length === 0)
    throw new RangeError("expected the lengths of at least one sequence an example, got no names");
  return lists;
}

/** @throws RangeError with the index of the first length that is not a positive integer */
export function checkLengths(lengths: ArrayLike<number>, name?: string): void {
  if (lengths.length === 0) throw new RangeError("expected the length of at least one sequence, got none");
  for (let i = 0; i < lengths.length; i++) {
    if (!Number.isInteger(lengths[i]) || lengths[i]! < 1) {
      throw new RangeError(`${sequenceText(i, name)} has length ${lengths[i]}: a length must be a positive integer`);
    }
  }
}

/** A sequence in an error message. */
export function sequenceText(index: number, name: string | undefined): string {
  return name === undefined ? `sequence ${index}` : `the ${name} of example ${index}`;
}

/** An option in an error message. */
export function optionText(option: string, name: string | undefined): string {
  return name === undefined ? option : `${option} of ${name}`;
}

/** The value of an option for one name. */
export function valueFor<T extends string | number | boolean>(
  value: PerName<T, string> | undefined,
  name: string | undefined,
): T | undefined {
  if (typeof value === "object") return name === undefined ? undefined : value[name];
  return value;
}

/** @throws TypeError for an option with a value for a name that the examples do not have */
export function checkNames(option: string, value: unknown, names: readonly (string | undefined)[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const known = names[0] === undefined ? "the sequences have no names" : `the examples have ${names.join(", ")}`;
    throw new TypeError(`${option} has a value for ${name}, but ${known}`);
  }
}

/** The index of the largest value. */
export function longestOf(lengths: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < lengths.length; i++) if (lengths[i]! > lengths[at]!) at = i;
  return at;
}
