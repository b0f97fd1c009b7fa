// Patterns of einsum and einops at run time; the twins in the types are types/pattern.ts and what stands on it.
import { ShapeError } from "./errors.ts";

/** One axis of a term: a name, "..." or a size, or several that make one axis together: "(h d)". */
export type Item = string | readonly string[];

export interface Pattern {
  readonly left: readonly Item[];
  readonly right: readonly Item[];
  readonly leftText: string;
}

const axisName = /^[\p{L}_][\p{L}\p{N}_]*$/u;

export const isSize = (axis: string): boolean => /^\d+$/.test(axis);

/** Reads one side of an einops pattern (Rogozhnikov 2022, section 3). */
export function parseItems(text: string, fail: (why: string) => never): Item[] {
  const items: Item[] = [];
  let group: string[] | undefined;
  for (const word of text.replace(/[()]/g, " $& ").split(" ")) {
    if (word === "") continue;
    if (word === "(") {
      if (group) fail("a ( stands inside a (");
      group = [];
    } else if (word === ")") {
      if (!group) fail("a ) has no (");
      items.push(group!);
      group = undefined;
    } else if (word === "..." || isSize(word) || axisName.test(word)) (group ?? items).push(word);
    else fail(`\`${word}\` is not the name of an axis`);
  }
  if (group) fail("a ( is not closed");
  if (items.flat().filter((axis) => axis === "...").length > 1) fail(`\`...\` stands twice in \`${text.trim()}\``);
  return items;
}

export const nameList = (items: readonly Item[]): string[] =>
  items.flat().filter((axis) => axis !== "..." && !isSize(axis));

export function parsePattern(op: string, pattern: string): Pattern {
  const fail = (why: string): never => {
    throw new ShapeError(`${op} \`${pattern}\`: ${why}`);
  };
  const sides = pattern.split("->");
  if (sides.length < 2) fail("there is no `->`");
  if (sides.length > 2) fail("`->` stands more than once");
  const [left, right] = sides.map((side) => parseItems(side, fail));
  return { left: left!, right: right!, leftText: sides[0]!.trim() };
}
