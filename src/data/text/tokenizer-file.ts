import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { jsonObject } from "../../base/json-schema.ts";
import { standIn } from "../../base/stand-in.ts";
import { type HubOptions, hubSnapshot, isHubName } from "../hub/snapshot.ts";

/** The contents of a `tokenizer.json`, the file format of Hugging Face's tokenizers. */
export interface TokenizerFile {
  model: { type?: string; vocab?: unknown; merges?: unknown; [option: string]: unknown };
  [part: string]: unknown;
}

/** What a `tokenizer_config.json` says beside it. */
export interface TokenizerConfig {
  /** Most tokens that the model takes. */
  modelMaxLength?: number;
  paddingToken?: string;
  /** Which end of a text `maxLength` cuts off. */
  truncationSide?: "left" | "right";
}

/**
 * Reads the tokenizer at a path (a `tokenizer.json`, or the folder of one), or of a model on the hub.
 *
 * @throws Error when there is none, or the file is no JSON
 */
export async function readTokenizer(
  source: string,
  options: HubOptions,
): Promise<{ file: TokenizerFile; config: TokenizerConfig }> {
  const found = statSync(source, { throwIfNoEntry: false });
  if (found?.isFile()) return { file: readJson(source) as TokenizerFile, config: {} };
  if (!found && /^(pip|npm):/.test(source))
    throw new Error(`${source} is the source of a model: give the folder that pretrained found, model.folder`);
  if (!found && !isHubName(source)) throw new Error(`${source || "(no name)"}: no such file or folder`);
  const folder = found
    ? source
    : await hubSnapshot(source, { ...options, files: ["tokenizer.json", "tokenizer_config*.json"] });
  const file = path.join(folder, "tokenizer.json");
  if (!existsSync(file)) {
    throw new Error(
      `${folder} has no tokenizer.json: in Python, AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes one`,
    );
  }
  const config = path.join(folder, "tokenizer_config.json");
  return {
    file: readJson(file) as TokenizerFile,
    config: existsSync(config) ? configOf(readJson(config), config) : {},
  };
}

function readJson(file: string): unknown {
  const text = readFileSync(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not a JSON file${standIn(text) || `: ${(cause as Error).message}`}`, { cause });
  }
}

function configOf(contents: unknown, file: string): TokenizerConfig {
  if (!v.is(jsonObject, contents)) throw new TypeError(`${file} is not a JSON object`);
  const { model_max_length: most, pad_token: padding, truncation_side: side } = contents;
  const config: TokenizerConfig = {};
  // transformers writes 1e30 where there is no limit.
  if (typeof most === "number" && most < 1e9) config.modelMaxLength = most;
  // Old files have the added token as an object.
  const content = typeof padding === "object" && padding !== null ? Reflect.get(padding, "content") : padding;
  if (typeof content === "string") config.paddingToken = content;
  if (side === "left" || side === "right") config.truncationSide = side;
  return config;
}
