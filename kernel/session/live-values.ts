/** Completion and inspection from the running program's values, where the checker has no answer. */
import { builtinModules } from "node:module";
import { wordEnd } from "../compile/words.ts";
import type { CompletionItem, Completions, Introspector } from "../protocol/inspection.ts";
import type { Description, Member } from "../protocol/live-values.ts";
import type { MimeBundle } from "../protocol/output.ts";
import { expressionAt, targetAt } from "./expression.ts";

type Call = <T>(method: string, params: object) => Promise<T | undefined>;

const keywords =
  "abstract as async await break case catch class const continue debugger default delete do else enum export extends false finally for from function if implements import in instanceof interface let new null of return satisfies static super switch this throw true try type typeof undefined var void while with yield".split(
    " ",
  );
const declaration =
  /\b(?:const|let|var|function\*?|class|enum|interface|type|namespace)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu;

/** `call` asks the host, and resolves to undefined when that is busy or has no answer. */
export function liveValuesIntrospector(call: Call): Introspector {
  return {
    async complete(code, cursor) {
      const module = /(?:\bfrom|\bimport|\b(?:import|require)\s*\()\s*["']([^"']*)$/.exec(code.slice(0, cursor))?.[1];
      if (module !== undefined) return moduleNames(module, cursor);
      const { object, prefix, start } = targetAt(code, cursor);
      const members =
        object === undefined
          ? await call<Member[]>("names", {})
          : await call<Member[]>("members", { expression: object });
      const found = (members ?? []).map(({ name, kind }): CompletionItem => ({ text: name, kind }));
      const items = object === undefined ? [...declared(code), ...found, ...keywords.map(asKeyword)] : found;
      const end = wordEnd(code, cursor);
      return matching(items, prefix, start, end);
    },

    async inspect(code, cursor, detail) {
      const expression = expressionAt(code, cursor);
      if (expression === undefined) return undefined;
      const found = await call<Description>("describe", { expression });
      return found && show(expression, found, detail);
    },
  };
}

function asKeyword(text: string): CompletionItem {
  return { text, kind: "keyword" };
}

function declared(code: string): CompletionItem[] {
  return [...code.matchAll(declaration)].map((match) => ({ text: match[1]!, kind: "variable" }));
}

function moduleNames(prefix: string, cursor: number): Completions {
  const names = builtinModules.filter((name) => !name.startsWith("_")).flatMap((name) => [name, `node:${name}`]);
  const items = names.map((text): CompletionItem => ({ text, kind: "module" }));
  return matching(items, prefix, cursor - prefix.length, cursor);
}

/** The items that start with the prefix; if none does, those that match without regard to case. */
function matching(items: readonly CompletionItem[], prefix: string, start: number, end: number): Completions {
  const unique = [...new Map(items.map((item) => [item.text, item])).values()];
  const exact = unique.filter(({ text }) => text.startsWith(prefix));
  const lower = prefix.toLowerCase();
  const matches = exact.length > 0 ? exact : unique.filter(({ text }) => text.toLowerCase().startsWith(lower));
  return { start, end, items: matches.sort((a, b) => (a.text < b.text ? -1 : 1)) };
}

function show(expression: string, { kind, signature, preview, source }: Description, detail: 0 | 1): MimeBundle {
  const text = kind === "value" ? `${expression}: ${signature}\n${preview}` : `${signature}\n${preview}`;
  const code = kind === "value" ? preview : detail === 1 && source ? source : signature;
  const title = kind === "value" ? `\`${expression}: ${signature}\`` : `\`${expression}\` (${kind})`;
  return {
    "text/plain": detail === 1 && source ? `${signature}\n\n${source}` : text,
    "text/markdown": `${title}\n\n\`\`\`typescript\n${code}\n\`\`\``,
  };
}
