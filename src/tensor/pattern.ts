// Patterns of einsum and einops at run time; types/pattern.ts and the files that import it do the same at the type level.
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
      if (group) fail("parentheses cannot be nested");
      group = [];
    } else if (word === ")") {
      if (!group) fail("`)` without `(`");
      items.push(group!);
      group = undefined;
    } else if (word === "..." || isSize(word) || axisName.test(word)) (group ?? items).push(word);
    else fail(`\`${word}\` is not a valid axis name`);
  }
  if (group) fail("`(` without `)`");
  if (items.flat().filter((axis) => axis === "...").length > 1) fail(`\`...\` appears twice in \`${text.trim()}\``);
  return items;
}

export const nameList = (items: readonly Item[]): string[] =>
  items.flat().filter((axis) => axis !== "..." && !isSize(axis));

export function parsePattern(op: string, pattern: string): Pattern {
  const fail = (why: string): never => {
    throw new ShapeError(`${op} \`${pattern}\`: ${why}`);
  };
  const sides = pattern.split("->");
  if (sides.length < 2) fail("pattern contains no `->`");
  if (sides.length > 2) fail("pattern contains `->` more than once");
  const [left, right] = sides.map((side) => parseItems(side, fail));
  return { left: left!, right: right!, leftText: sides[0]!.trim() };
}
