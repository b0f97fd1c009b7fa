import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Encoding, TokenizerFile } from "../../../src/index.ts";

/** Tokens as Python's library gives them. */
interface Found {
  ids: number[];
  typeIds: number[];
  offsets: number[];
}

/** What bench/reference/tokenizers/ids.py writes of one tokenizer. A digest has eight characters. */
export interface Reference {
  file: TokenizerFile;
  /** The first lines, whole. */
  single: Found[];
  /** Of all lines. */
  digests: string;
  /** Of the pairs of `pairOf`. */
  pairs: string;
  /** The first lines' ids without special tokens. */
  plain: number[][];
  /** Pairs of at most 16 tokens; empty where Python's library throws. */
  truncated: { strategy: string; direction: "left" | "right"; results: string[] }[];
  decoded: string[];
  /** With special tokens. */
  decodedWhole: string[];
}

export function readFixture<T>(name: string): T {
  const url = new URL(`../../../../test/data/text/fixtures/${name}.json.gz`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(url)).toString()) as T;
}

export const { lines } = readFixture<{ lines: string[] }>("lines");

/** The pair of texts that the script encodes at a place. */
export function pairOf(i: number): [text: string, pair: string] {
  return [lines[2 * i]!, lines[lines.length - 2 * i - 1]!];
}

/** The digest that the script has of an encoding. */
export function digest({ ids, typeIds, offsets }: Encoding): string {
  const text = [ids, typeIds, offsets].map((list) => list.join(",")).join(";");
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** The digests of a fixture, one by one. */
export function digestsOf(joined: string): string[] {
  return joined.match(/.{8}/g) ?? [];
}
