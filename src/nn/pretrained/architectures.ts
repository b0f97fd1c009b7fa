import type { Architecture } from "./architecture.ts";
import { bert } from "./bert.ts";
import { distilbert } from "./distilbert.ts";
import { gpt2 } from "./gpt2.ts";
import { llama, mistral, qwen2, qwen3 } from "./llama.ts";
import { modernbert } from "./modernbert.ts";
import { robertaNamed } from "./roberta.ts";

/** The architectures by the `model_type` of a config.json. */
export const architectures: Readonly<Record<string, Architecture>> = {
  bert,
  gpt2,
  llama,
  mistral,
  qwen2,
  qwen3,
  camembert: robertaNamed("Camembert"),
  distilbert,
  modernbert,
  roberta: robertaNamed("Roberta"),
  "xlm-roberta": robertaNamed("XLMRoberta"),
};
