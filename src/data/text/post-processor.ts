import { unitsAt, unitsBefore } from "./aligned-text.ts";
import type { Piece, Tokens } from "./encoding.ts";
import { flatten, type Part, refuse } from "./part.ts";

/** Adds the special tokens of a text or a pair. */
export interface PostProcessor {
  pieces(isPair: boolean, addSpecialTokens: boolean): Piece[];
  /** Leaves the spaces at a token's ends out of its offsets in `text`. */
  trimOffsets(tokens: Tokens, text: string): void;
}

/**
 * The post-processor of a tokenizer.json, with the results of Python's library.
 *
 * @throws TypeError for one that is not known
 */
export function postProcessorOf(whole: unknown): PostProcessor {
  const parts = flatten(whole, "processors");
  const templates = parts.filter(({ type }) => type !== "ByteLevel");
  if (templates.length > 1)
    refuse(`the post-processors ${templates.map(({ type }) => type).join(" and ")}`, "one adds special tokens");
  const pieces = templates[0] ? piecesOf(templates[0]) : plain;
  const trims = parts.filter(
    ({ type, trim_offsets: trim }) => (type === "ByteLevel" || type === "RobertaProcessing") && trim !== false,
  );
  return {
    pieces,
    trimOffsets: (tokens, text) => {
      for (const { add_prefix_space: prefixes } of trims) trim(tokens, text, prefixes !== false);
    },
  };
}

const plain = (isPair: boolean): Piece[] =>
  isPair
    ? [
        { sequence: 0, typeId: 0 },
        { sequence: 1, typeId: 1 },
      ]
    : [{ sequence: 0, typeId: 0 }];

function piecesOf(part: Part): PostProcessor["pieces"] {
  switch (part.type) {
    case "BertProcessing":
    case "RobertaProcessing":
      return clsAndSep(part, part.type === "BertProcessing");
    case "TemplateProcessing":
      return template(part);
    default:
      return refuse(`the post-processor ${part.type}`);
  }
}

/** `[CLS] A [SEP] B [SEP]` of BERT, `<s> A </s></s> B </s>` of RoBERTa, whose type ids are all 0. */
function clsAndSep(part: Part, isBert: boolean): PostProcessor["pieces"] {
  const tokenOf = (name: "cls" | "sep"): Piece => {
    const [, id] = (part[name] ?? refuse(`the post-processor ${part.type}`, `it has no ${name}`)) as [string, number];
    return { ids: [id], typeId: 0 };
  };
  const [cls, sep] = [tokenOf("cls"), tokenOf("sep")];
  const second = isBert ? 1 : 0;
  return (isPair, addSpecialTokens) => {
    const [a, b] = plain(true).map((piece, i): Piece => ({ ...piece, typeId: i === 0 ? 0 : second })) as [Piece, Piece];
    if (!addSpecialTokens) return isPair ? [a, b] : [a];
    const end: Piece[] = [b, { ...sep, typeId: second }];
    return [cls, a, sep, ...(isPair ? [...(isBert ? [] : [sep]), ...end] : [])];
  };
}

interface TemplatePiece {
  Sequence?: { id: "A" | "B"; type_id: number };
  SpecialToken?: { id: string; type_id: number };
}

function template(part: Part): PostProcessor["pieces"] {
  const special = (part.special_tokens ?? {}) as Record<string, { ids: number[] }>;
  const read = (pieces: unknown) =>
    (pieces as TemplatePiece[]).map(({ Sequence: sequence, SpecialToken: token }): Piece => {
      if (sequence) return { sequence: sequence.id === "A" ? 0 : 1, typeId: sequence.type_id };
      const { id, type_id: typeId } = token ?? refuse("a template piece that is neither Sequence nor SpecialToken");
      return { ids: special[id]?.ids ?? refuse(`a template with ${id}`, "special_tokens does not define it"), typeId };
    });
  const [single, pair] = [read(part.single), read(part.pair)];
  return (isPair, addSpecialTokens) =>
    (isPair ? pair : single).filter((piece) => addSpecialTokens || !("ids" in piece));
}

const LEADING = /^[\u0120\p{White_Space}]*/u;
const TRAILING = /[\u0120\p{White_Space}]*$/u;

/**
 * `process_offsets` of Python's library, which counts characters. A single space before the first token was put there by the
 * pre-tokenizer.
 */
function trim({ starts, ends, texts }: Tokens, text: string, addsPrefix: boolean): void {
  for (let i = 0; i < starts.length; i++) {
    const token = texts[i]!;
    const leading = LEADING.exec(token)![0].length;
    const trailing = TRAILING.exec(token)![0].length;
    const isAdded = addsPrefix && leading === 1 && (i === 0 || starts[i] === 0);
    const end = ends[i]!;
    if (!isAdded) for (let n = 0; n < leading && starts[i]! < end; n++) starts[i]! += unitsAt(text, starts[i]!);
    for (let n = 0; n < trailing && ends[i]! > starts[i]!; n++) ends[i]! -= unitsBefore(text, ends[i]!);
  }
}
