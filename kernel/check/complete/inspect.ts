import { wordEnd, wordStart } from "../../compile/words.ts";
import { importLine, libraryExports } from "../../magics/library-exports.ts";
import type { Introspector } from "../../protocol/inspection.ts";
import type { MimeBundle } from "../../protocol/output.ts";
import type { Checker } from "../checker.ts";
import { namesModule } from "../program/paths.ts";
import { markupText, positionIn, shifted } from "../program/positions.ts";
import type { ServerHover, ServerSignatureHelp } from "../server/protocol.ts";
import { withTimeout } from "../server/with-timeout.ts";
import type { Workspace } from "../server/workspace.ts";
import { withoutAlias } from "./complete.ts";
import { contextFreeName } from "./context-free.ts";
import { exampleOf } from "./examples.ts";
import { openString } from "./files.ts";
import { parsePartial } from "./parse-partial.ts";

/** What a running program says of a variable: its value and, for a tensor, its shape. */
export type Live = Introspector["inspect"];

/** Milliseconds to wait for a value: a busy program does not answer. */
const patience = 300;

/** Describes the name at a cursor: its type, documentation and value; between a call's parentheses, the call's signature. */
export async function inspect(
  checker: Checker,
  live: Live,
  code: string,
  cursor: number,
  detail: 0 | 1,
): Promise<MimeBundle | undefined> {
  const line = missingImport(checker, code, cursor);
  if (line !== undefined) {
    const imported = `${line}; ${code}`;
    const found = await inspect(checker, live, imported, imported.length, detail);
    const markdown = found && withExample(checker, code, cursor, `\`${line}\`\n\n${found["text/markdown"]}`);
    return markdown === undefined ? undefined : bundle(markdown, undefined);
  }
  const { text } = parsePartial(code);
  const onWord = wordStart(text, cursor) < wordEnd(text, cursor);
  const question = async (workspace: Workspace, module: string, lines: number) => {
    const hover = async (offset: number) => {
      const position = shifted(positionIn(text, offset), lines);
      return workspace.hover(module, position);
    };
    const found = onWord ? ((await hover(cursor)) ?? (cursor > 0 ? await hover(cursor - 1) : null)) : null;
    if (found) return described(checker, workspace, text, cursor, found);
    const key = optionAt(text, cursor);
    const option = key === undefined ? null : await hover(key);
    if (option) return { markdown: markupText(option.contents), variable: false };
    const position = shifted(positionIn(text, cursor), lines);
    const help = await workspace.ask<ServerSignatureHelp | null>("textDocument/signatureHelp", module, { position });
    const markdown = help && signature(help);
    return markdown ? { markdown, variable: false } : undefined;
  };
  const value = onWord ? withTimeout(patience, live(code, cursor, detail)) : undefined;
  const name = onWord
    ? contextFreeName(text, cursor, (name) => checker.program.names.get(name)?.value !== undefined)
    : undefined;
  const plainly = async (workspace: Workspace, lines: ReadonlyMap<string, number>) => {
    const position = { line: lines.get(name!)!, character: 0 };
    const hover = await workspace.hover(namesModule, position);
    return hover ? described(checker, workspace, text, cursor, hover) : undefined;
  };
  const answer = name === undefined ? checker.about(code, [], question) : checker.aboutNames(plainly);
  const found = await answer.catch(() => undefined);
  // TypeScript's whole answer for a name that is not declared.
  if (!found || /^```\w*\nany\n```\s*$/.test(found.markdown)) return undefined;
  const markdown = found.markdown.replace(
    /^(```\w*\n)([\s\S]*?)(\n```)/,
    (_, open, type, close) => `${open}${withoutAlias(type)}${close}`,
  );
  const liveValue = found.variable || detail === 1 ? await value : undefined;
  return bundle(withExample(checker, code, cursor, markdown.trim()), liveValue);
}

/** The import of a name alone, as in `name?`, which the library exports and no cell has declared. */
function missingImport(checker: Checker, code: string, cursor: number): string | undefined {
  const kind = cursor === code.length ? libraryExports().get(code.trim()) : undefined;
  return kind === undefined || checker.program.names.get(code.trim()) ? undefined : importLine(code.trim(), kind);
}

/** A name alone, as in `name?`, gets an example when it is an export of the library. A tooltip stays short. */
function withExample(checker: Checker, code: string, cursor: number, markdown: string): string {
  const name = code.trim();
  const declared = checker.program.names.get(name)?.value;
  const isExport = libraryExports().has(name) && (declared === undefined || declared.kind === "import");
  if (cursor !== code.length || !isExport || /\*@example\*/.test(markdown)) return markdown;
  const example = exampleOf(name);
  return example ? `${markdown}\n\nExample (${example.file}):\n\`\`\`typescript\n${example.code}\n\`\`\`` : markdown;
}

/** Characters in which an option's name is looked for. */
const optionReach = 1000;

/** The offset of the option's name when the cursor is in its value: `{ rate: 0.¦1 }`. */
export function optionAt(text: string, cursor: number): number | undefined {
  let depth = 0;
  const line = text.slice(Math.max(text.lastIndexOf("\n", cursor - 1) + 1, cursor - optionReach), cursor);
  const inString = openString(line);
  const from = inString === undefined ? cursor : cursor - inString.length - 1;
  for (let at = from - 1; at >= 0 && cursor - at < optionReach; at--) {
    const character = text[at]!;
    if (/[)\]}]/.test(character)) depth++;
    else if (/[([{]/.test(character)) {
      if (depth === 0) return undefined;
      depth--;
    } else if (depth > 0) continue;
    else if (/["'`]/.test(character)) at = Math.max(text.lastIndexOf(character, at - 1), 0);
    else if (/[,;?]/.test(character)) return undefined;
    else if (character === ":") {
      const end = text.slice(0, at).trimEnd().length;
      const start = wordStart(text, end);
      const before = text
        .slice(Math.max(0, start - optionReach), start)
        .trimEnd()
        .at(-1);
      return start < end && (before === "{" || before === ",") ? start : undefined;
    }
  }
  return undefined;
}

async function described(checker: Checker, workspace: Workspace, text: string, cursor: number, hover: ServerHover) {
  const markdown = await documented(checker, workspace, text, cursor, markupText(hover.contents));
  return { markdown, variable: /^```\w*\n(?:\(alias\) )?(?:const|let|var|\(property\)) /.test(markdown) };
}

/** The documentation of a variable that the cell's file declares again is at its first declaration. */
async function documented(
  checker: Checker,
  workspace: Workspace,
  text: string,
  cursor: number,
  markdown: string,
): Promise<string> {
  if (/```\n\s*\S/.test(markdown)) return markdown;
  const start = wordStart(text, cursor);
  const name = text.slice(start, wordEnd(text, cursor));
  if (text[start - 1] === ".") return markdown;
  const place = checker.program.declaration(name);
  if (!place) return markdown;
  const hover = await workspace.hover(place.module, place.position);
  const docs = /^```\w*\n[\s\S]*?\n```\n([\s\S]*)$/.exec(markupText(hover?.contents))?.[1]?.trim();
  return docs ? `${markdown.trimEnd()}\n${docs}\n` : markdown;
}

function signature({ signatures, activeSignature = 0, activeParameter }: ServerSignatureHelp): string | undefined {
  const signature = signatures[activeSignature] ?? signatures[0];
  if (!signature) return undefined;
  const at = signature.activeParameter ?? activeParameter;
  const parameter = at === undefined ? undefined : signature.parameters?.[at];
  const label = parameter?.label;
  const name = typeof label === "string" ? label : label && signature.label.slice(label[0], label[1]);
  const others = signatures.length > 1 ? [`(${activeSignature + 1} of ${signatures.length} overloads)`] : [];
  return [
    `\`\`\`typescript\n${signature.label}\n\`\`\``,
    ...(name ? [`**\`${name}\`** ${markupText(parameter?.documentation)}`.trim()] : []),
    markupText(signature.documentation),
    ...others,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function bundle(markdown: string, value: MimeBundle | undefined): MimeBundle {
  const plain = markdown.replace(/^```\w*\n([\s\S]*?)\n```/gm, "$1").replace(/\*@(\w+)\*/g, "@$1");
  const valueText = value?.["text/plain"];
  if (typeof valueText !== "string") return { "text/plain": plain, "text/markdown": markdown };
  return {
    "text/plain": `${plain}\n\n${valueText}`,
    "text/markdown": `${markdown}\n\n\`\`\`\n${valueText}\n\`\`\``,
  };
}
