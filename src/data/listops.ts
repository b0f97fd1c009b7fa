import type { Example, Vocabulary } from "./dataset.ts";
import { vocabulary } from "./dataset.ts";
import { type Random, random } from "./random.ts";

/** Options of `listOps`. */
export interface ListOpsOptions {
  /** How many examples; all are distinct. */
  count: number;
  seed: number;
  /** The depth at which only digits are left, so that lists nest at most `maxDepth - 1` deep; 20 by default, as the authors'. */
  maxDepth?: number;
  /** Most arguments of one operator, at least 2; 5 by default, as the authors'. */
  maxArgs?: number;
  /** Fewest tokens of an expression; 1 by default. */
  minLength?: number;
  /** Most tokens of an expression; unlimited by default. */
  maxLength?: number;
}

/** A ListOps expression; its label is its value, 0 to 9. */
export interface ListOpsExample extends Example {
  /** The expression as written, for instance `[MAX 2 9 [MIN 4 7 ] 0 ]`. */
  text: string;
  /** Nesting of the deepest operator. */
  depth: number;
}

/** A ListOps operator as it is written: minimum, maximum, median, sum modulo 10. */
export type Operator = "[MIN" | "[MAX" | "[MED" | "[SM";
type Tree = number | { operator: Operator; args: Tree[] };

const OPERATORS: readonly Operator[] = ["[MIN", "[MAX", "[MED", "[SM"];
const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const CLOSE = "]";

/** The chance that an argument is itself a list (VALUE_P in the authors' make_data.py). */
const NESTING = 0.25;

/** Most consecutive rejected draws before `listOps` throws. */
const MAX_REJECTED = 200_000;

/** The vocabulary of `listOps`: padding, the four operators, `]` and the digits, 16 ids in all. */
export const listOpsVocabulary: Vocabulary = vocabulary([...OPERATORS, CLOSE, ...DIGITS]);

/**
 * Expressions of nested list operations, each labelled with its value, a digit.
 *
 * Operators MIN, MAX, MED (median, rounded down) and SM (sum modulo 10). Drawn as in the authors' generator: an
 * argument nests with probability 0.25, an operator takes 2 to `maxArgs` arguments, so lengths spread over two
 * orders of magnitude. Unlike the authors' examples, none is a bare digit.
 *
 * Nangia & Bowman 2018, "ListOps: A Diagnostic Dataset for Latent Tree Learning" (arXiv 1804.06028).
 *
 * @throws RangeError for a size that is too small, or when too few distinct expressions lie within the limits
 */
export function listOps(options: ListOpsOptions): ListOpsExample[] {
  const { count, seed, maxDepth = 20, maxArgs = 5, minLength = 1, maxLength = Number.POSITIVE_INFINITY } = options;
  checkAtLeast("count", count, 1);
  checkAtLeast("maxDepth", maxDepth, 2);
  checkAtLeast("maxArgs", maxArgs, 2);
  if (minLength > maxLength) throw new RangeError(`minLength ${minLength} is above maxLength ${maxLength}`);

  const rng = random(seed);
  const seen = new Set<string>();
  const examples: ListOpsExample[] = [];
  let rejected = 0;
  while (examples.length < count) {
    const tree = draw(rng, 1, maxDepth, maxArgs);
    const tokens = write(tree, []);
    const text = tokens.join(" ");
    if (tokens.length < minLength || tokens.length > maxLength || seen.has(text)) {
      if (++rejected > MAX_REJECTED) {
        throw new RangeError(
          `found ${examples.length} of ${count} distinct expressions with ${minLength} to ${maxLength} tokens, ` +
            `depth up to ${maxDepth} and up to ${maxArgs} arguments, then none in ${MAX_REJECTED} draws: widen the limits`,
        );
      }
      continue;
    }
    rejected = 0;
    seen.add(text);
    examples.push({ tokens: listOpsVocabulary.encode(tokens), label: evaluate(tree), text, depth: depthOf(tree) });
  }
  return examples;
}

/**
 * The value of a ListOps expression written as text, 0 to 9.
 *
 * @throws SyntaxError when the text is not one ListOps expression
 */
export function evaluateListOps(text: string): number {
  const tokens = text.replaceAll(CLOSE, ` ${CLOSE} `).split(/\s+/).filter(Boolean);
  let at = 0;
  const read = (): Tree => {
    const token = tokens[at++];
    if (token !== undefined && DIGITS.includes(token)) return Number(token);
    const operator = OPERATORS.find((name) => name === token);
    if (!operator) {
      throw new SyntaxError(`expected a digit or an operator at token ${at}, got ${token ?? "the end of the text"}`);
    }
    const args: Tree[] = [];
    while (tokens[at] !== CLOSE) args.push(read());
    if (args.length === 0) throw new SyntaxError(`${operator} at token ${at} has no arguments`);
    at++;
    return { operator, args };
  };
  const tree = read();
  if (at < tokens.length) throw new SyntaxError(`expected the end of the text after token ${at}, got ${tokens[at]}`);
  return evaluate(tree);
}

function draw(rng: Random, depth: number, maxDepth: number, maxArgs: number): Tree {
  const nests = depth === 1 || (depth < maxDepth && rng.uniform() <= NESTING);
  if (!nests) return rng.integer(0, 10);
  const args = Array.from({ length: rng.integer(2, maxArgs + 1) }, () => draw(rng, depth + 1, maxDepth, maxArgs));
  return { operator: rng.pick(OPERATORS), args };
}

function write(tree: Tree, out: string[]): string[] {
  if (typeof tree === "number") out.push(String(tree));
  else {
    out.push(tree.operator);
    for (const arg of tree.args) write(arg, out);
    out.push(CLOSE);
  }
  return out;
}

function depthOf(tree: Tree): number {
  return typeof tree === "number" ? 0 : 1 + Math.max(...tree.args.map(depthOf));
}

function evaluate(tree: Tree): number {
  if (typeof tree === "number") return tree;
  const values = tree.args.map(evaluate);
  switch (tree.operator) {
    case "[MIN":
      return Math.min(...values);
    case "[MAX":
      return Math.max(...values);
    case "[SM":
      return values.reduce((sum, value) => sum + value, 0) % 10;
    case "[MED":
      return median(values);
  }
}

/** The middle value; between two middle values, their mean rounded down, as `int(numpy.median(...))` gives. */
function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : Math.floor((sorted[middle - 1]! + sorted[middle]!) / 2);
}

function checkAtLeast(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`${name} must be an integer of at least ${least}, got ${value}`);
  }
}
