export { type AddingExample, type AddingOptions, addingProblem } from "./adding.ts";
export { type CacheOptions, cachedExamples } from "./cache.ts";
export { type Example, majorityShare, type Vocabulary, vocabulary } from "./dataset.ts";
export { collect, type EncodeOptions, encodeRecords } from "./encode.ts";
export type { Column, ColumnType, ColumnValues } from "./files/column-types.ts";
export type { Columns } from "./files/columns.ts";
export { type ArrowTableLike, type DataFrameLike, recordsOf } from "./files/frames.ts";
export { type ParquetOptions, readParquet } from "./files/parquet.ts";
export { type ColumnsOptions, readColumns } from "./files/read-columns.ts";
export type { DataRecord } from "./files/record.ts";
export { type CsvOptions, readCsv, readJsonLines, readLines, readRecords } from "./files/records.ts";
export { HubError, type HubFailure, type HubOptions, type HubProgress, hubSnapshot } from "./hub/index.ts";
export {
  evaluateListOps,
  type ListOpsExample,
  type ListOpsOptions,
  listOps,
  listOpsVocabulary,
  type Operator,
} from "./listops.ts";
export { type Random, random, randomFrom } from "./random.ts";
export {
  languageSnippets,
  type Snippet,
  type SnippetLanguage,
  type SnippetOptions,
} from "./snippets.ts";
export { type SpamMessage, spamAssassin } from "./spam-assassin.ts";
export { groupSplit, randomSplit, type Split } from "./split.ts";
export { sweep, sweepCurves } from "./sweep.ts";
export { trainBpe } from "./text/bpe.ts";
export type { TextOrPair } from "./text/encode-one.ts";
export { type EncodedText, type EncodeTextsOptions, encodeTexts } from "./text/encode-texts.ts";
export type { Encoding } from "./text/encoding.ts";
export { type DecodeOptions, type TextOptions, type TextTokenizer, tokenizer } from "./text/text-tokenizer.ts";
export { byteTokenizer, characterTokenizer, type Tokenizer, type TokenizerOptions } from "./text/tokenizer.ts";
export type { TokenizerConfig, TokenizerFile } from "./text/tokenizer-file.ts";
export type { TruncationStrategy } from "./text/truncate.ts";
