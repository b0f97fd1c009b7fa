/** Examples of the library's functions, from the guides in docs/. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kernelRoot } from "../program/packages.ts";

interface Example {
  code: string;
  /** The guide's file: `docs/layers.md`. */
  file: string;
}

/** Lines of the longest example. */
const longest = 12;

let all: Example[] | undefined;

/** The shortest example that calls the function or constructs the class; undefined if the guides have none. */
export function exampleOf(name: string): Example | undefined {
  all ??= readExamples();
  const used = new RegExp(`(?<![\\w$.])${name.replaceAll("$", "\\$")}\\s*[(<]`);
  const found = all.filter(({ code }) => used.test(code));
  return found.sort((a, b) => a.code.length - b.code.length)[0];
}

function readExamples(): Example[] {
  const folder = join(kernelRoot, "docs");
  try {
    const files = readdirSync(folder).filter((file) => file.endsWith(".md"));
    return files.flatMap((file) =>
      paragraphsIn(readFileSync(join(folder, file), "utf8")).map((code) => ({ code, file: `docs/${file}` })),
    );
  } catch {
    return [];
  }
}

/** The paragraphs of TypeScript in a guide: of fenced blocks, and of blocks that are indented by four spaces. */
function paragraphsIn(text: string): string[] {
  const fenced = [...text.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```/gm)].map(([, code]) => code!);
  const indented = [...text.matchAll(/(?:^|\n\n)((?: {4}.*\n?)+(?:\n+(?: {4}.*\n?)+)*)/g)].map(([, code]) =>
    code!.replace(/^ {4}/gm, ""),
  );
  return [...fenced, ...indented]
    .flatMap((code) => code.split(/\n\s*\n/))
    .map((code) => code.trimEnd())
    .filter((code) => code.trim() !== "" && code.split("\n").length <= longest && /[;{(]/.test(code));
}
