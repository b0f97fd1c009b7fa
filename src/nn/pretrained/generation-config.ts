import path from "node:path";
import { type Config, readJson } from "./config.ts";

/** The tokens that end a generated sequence: `eos_token_id` of a folder's generation_config.json, or else of its config.json. */
export function stopTokensOf(folder: string, config: Config): readonly number[] {
  const file = path.join(folder, "generation_config.json");
  const given = readJson(file)?.eos_token_id ?? config.values.eos_token_id ?? [];
  const tokens: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (tokens.every((token): token is number => Number.isInteger(token))) return tokens;
  throw new TypeError(
    `pretrained: ${file}: eos_token_id must be a token or a list of tokens, got ${JSON.stringify(given)}`,
  );
}
