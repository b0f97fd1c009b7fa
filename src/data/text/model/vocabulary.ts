import * as v from "valibot";
import { idSchema, type Part, refuse } from "../part.ts";

/** The vocabulary of a part, `{ token: id }`. */
export function vocabularyOf({ vocab }: Part): Map<string, number> {
  if (typeof vocab !== "object" || vocab === null) refuse("a model without a vocabulary", "vocab must be an object");
  const entries = Object.entries(vocab);
  const wrong = entries.find(([, id]) => !v.is(idSchema, id));
  if (wrong)
    refuse(`an invalid id of the token ${wrong[0]}`, `expected a small integer, got ${JSON.stringify(wrong[1])}`);
  return new Map(entries as [string, number][]);
}

/** The id of a part's unknown token. */
export function unknownId({ unk_token: unknown }: Part, vocabulary: ReadonlyMap<string, number>): number | undefined {
  return typeof unknown === "string" ? vocabulary.get(unknown) : undefined;
}

/** The ids of the tokens `<0x00>` to `<0xFF>`, where the vocabulary has all of them. */
export function byteIds(vocabulary: ReadonlyMap<string, number>): number[] | undefined {
  const ids: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const id = vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}
