/** Finds the expression around a cursor in text that may be incomplete. */
import { wordEnd, wordStart } from "../compile/words.ts";

/** `tf.ten|` is the object `tf` and the prefix `ten`; a bare name has no object. */
export interface Target {
  object: string | undefined;
  prefix: string;
  /** Where the prefix starts. */
  start: number;
}

const word = /[\p{ID_Continue}$]/u;

export function targetAt(code: string, cursor: number): Target {
  const start = wordStart(code, cursor);
  const prefix = code.slice(start, cursor);
  let at = skipSpaceBack(code, start);
  if (code[at - 1] !== "." || code.slice(at - 3, at) === "...") return { object: undefined, prefix, start };
  at -= code[at - 2] === "?" ? 2 : 1;
  const chain = chainStart(code, at);
  const from = /\bnew\s+$/.exec(code.slice(0, chain))?.index ?? chain;
  const object = code.slice(from, at).trim();
  return { object: object === "" ? undefined : object, prefix, start };
}

/** The dotted expression at or before the cursor, or the function whose call contains the cursor. */
export function expressionAt(code: string, cursor: number): string | undefined {
  let end = wordEnd(code, cursor);
  const inWord = end > 0 && (word.test(code[end - 1]!) || /[)\]]/.test(code[end - 1]!));
  if (!inWord) {
    end = openCall(code, cursor);
    if (end < 0) return undefined;
  }
  const expression = code.slice(chainStart(code, end), end).trim();
  return /^[\p{ID_Start}$_("'`[]/u.test(expression) ? expression : undefined;
}

/** Where the chain of names, calls and indexes that ends at `end` begins. */
function chainStart(code: string, end: number): number {
  let at = end;
  for (;;) {
    const before = skipSpaceBack(code, at);
    const last = code[before - 1];
    if (last === ")" || last === "]") at = skipBracketBack(code, before);
    else if (last === '"' || last === "'" || last === "`") return code.lastIndexOf(last, before - 2);
    else if (last && word.test(last)) at = wordStart(code, before);
    else return at;
    const next = skipSpaceBack(code, at);
    if (code[next - 1] === ".") at = next - (code[next - 2] === "?" ? 2 : 1);
    else if (!(/[([]/.test(code[at] ?? "") && next === at && /[\p{ID_Continue}$)\]]/u.test(code[at - 1] ?? "")))
      return at;
  }
}

/** The end of the callee of the innermost call that is open at the cursor, or -1. */
function openCall(code: string, cursor: number): number {
  let depth = 0;
  for (let at = cursor - 1; at >= 0; at--) {
    if (/[)\]}]/.test(code[at]!)) depth++;
    else if (/[([{]/.test(code[at]!)) {
      if (depth === 0) return code[at] === "(" ? at : -1;
      depth--;
    }
  }
  return -1;
}

function skipBracketBack(code: string, end: number): number {
  let depth = 0;
  for (let at = end - 1; at >= 0; at--) {
    if (/[)\]}]/.test(code[at]!)) depth++;
    else if (/[([{]/.test(code[at]!) && --depth === 0) return at;
  }
  return end;
}

function skipSpaceBack(code: string, end: number): number {
  let at = end;
  while (at > 0 && /\s/.test(code[at - 1]!)) at--;
  return at;
}
