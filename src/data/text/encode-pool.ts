import { Worker } from "node:worker_threads";
import type { TextOrPair, TextTokens } from "./encode-one.ts";
import type { TextOptions, TextTokenizer } from "./text-tokenizer.ts";
import type { TokenizerConfig, TokenizerFile } from "./tokenizer-file.ts";

/** What a thread gets when it starts. */
export interface EncoderData {
  file: TokenizerFile;
  config: TokenizerConfig;
  options: TextOptions;
}

/** The tokens of the texts of a chunk, end to end: few large arrays cross to another thread faster than many small ones. */
export interface EncodedChunk {
  tokens: Int32Array;
  /** As many as tokens; none of single texts. */
  typeIds: Int32Array;
  lengths: Int32Array;
}

/** A thread's answer to a chunk. */
export type Answer = EncodedChunk | { error: Error };

interface PoolOptions {
  threads: number;
  /** Hears of each chunk how many texts it had. */
  encoded: (count: number) => void;
  signal: AbortSignal | undefined;
}

/** Encodes chunks of texts in worker threads. Each thread takes the next chunk when it is done with one. */
export async function encodeInThreads(
  tokenizer: TextTokenizer,
  chunks: readonly TextOrPair[][],
  options: TextOptions,
  { threads, encoded, signal }: PoolOptions,
): Promise<TextTokens[][]> {
  const workerData: EncoderData = { file: tokenizer.file, config: tokenizer.config, options };
  const parts: TextTokens[][] = new Array(chunks.length);
  let next = 0;
  const work = async (worker: Worker) => {
    while (next < chunks.length) {
      signal?.throwIfAborted();
      const index = next++;
      const chunk = chunks[index]!;
      parts[index] = separate(await ask(worker, chunk, signal));
      encoded(chunk.length);
    }
  };
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./encode-worker.js", import.meta.url), { workerData, execArgv: [] }),
  );
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return parts;
}

function ask(worker: Worker, chunk: readonly TextOrPair[], signal: AbortSignal | undefined): Promise<EncodedChunk> {
  return new Promise((resolve, reject) => {
    const end = new AbortController();
    const stop = (error: unknown) => {
      end.abort();
      reject(error);
    };
    signal?.addEventListener("abort", () => stop(signal.reason), { signal: end.signal });
    worker.removeAllListeners("error").once("error", stop);
    worker.once("message", (answer: Answer) => {
      end.abort();
      if ("error" in answer) reject(answer.error);
      else resolve(answer);
    });
    worker.postMessage(chunk);
  });
}

function separate({ tokens, typeIds, lengths }: EncodedChunk): TextTokens[] {
  let end = 0;
  return Array.from(lengths, (length) => {
    const from = end;
    end += length;
    const own = { tokens: tokens.slice(from, end) };
    return typeIds.length > 0 ? { ...own, typeIds: typeIds.slice(from, end) } : own;
  });
}
