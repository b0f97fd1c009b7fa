import * as v from "valibot";
import { idSchema, refuse } from "./part.ts";

const part = v.nullish(v.looseObject({ type: v.string() }));
const tokenAndId = v.nullish(v.looseTuple([v.string(), idSchema]));

/** The parts of a tokenizer.json whose structure the code relies on. What they ask for is checked where it is done. */
const tokenizerFile = v.looseObject({
  added_tokens: v.nullish(v.array(v.looseObject({ id: idSchema, content: v.string() }))),
  truncation: v.nullish(v.looseObject({ max_length: v.pipe(v.number(), v.integer(), v.minValue(0)) })),
  padding: v.nullish(v.looseObject({ pad_id: v.nullish(idSchema) })),
  normalizer: part,
  pre_tokenizer: part,
  post_processor: v.nullish(v.looseObject({ type: v.string(), cls: tokenAndId, sep: tokenAndId })),
  decoder: part,
});

/** @throws TypeError that names the first value of a tokenizer.json that is not of its kind */
export function checkFile(file: object): void {
  const result = v.safeParse(tokenizerFile, file);
  if (result.success) return;
  const [issue] = result.issues;
  refuse(`an invalid ${v.getDotPath(issue)}`, issue.message);
}
