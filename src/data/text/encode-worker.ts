import { parentPort, workerData } from "node:worker_threads";
import { encodeOne, type TextOrPair, type TextTokens } from "./encode-one.ts";
import type { Answer, EncodedChunk, EncoderData } from "./encode-pool.ts";
import { textTokenizer } from "./text-tokenizer.ts";

// A thread of encode-pool.ts: it builds the tokenizer once and answers each chunk of texts with its tokens.
const { file, config, options } = workerData as EncoderData;
const tokenizer = textTokenizer(file, config);

parentPort!.on("message", (chunk: readonly TextOrPair[]) => {
  let answer: Answer;
  try {
    answer = join(chunk.map((text) => encodeOne(tokenizer, text, options)));
  } catch (error) {
    answer = { error: error as Error };
  }
  const buffers = "error" in answer ? [] : [answer.tokens.buffer, answer.typeIds.buffer, answer.lengths.buffer];
  parentPort!.postMessage(answer, buffers as ArrayBuffer[]);
});

function join(parts: readonly TextTokens[]): EncodedChunk {
  const lengths = Int32Array.from(parts, ({ tokens }) => tokens.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const tokens = new Int32Array(total);
  const typeIds = new Int32Array(parts.some((part) => part.typeIds) ? total : 0);
  let at = 0;
  for (const part of parts) {
    tokens.set(part.tokens, at);
    if (part.typeIds) typeIds.set(part.typeIds, at);
    at += part.tokens.length;
  }
  return { tokens, typeIds, lengths };
}
