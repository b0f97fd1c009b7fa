// Draws which folders of src/ and kernel/ import which, from the import statements, into docs/architecture.md: node dist/bench/stack.js
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseSync } from "oxc-parser";

/** Folders, each with those that it imports. */
export type Imports = Map<string, Set<string>>;

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = path.join(root, "docs/architecture.md");
const marks = ["<!-- stack: node dist/bench/stack.js -->", "<!-- end of stack -->"] as const;

/** `src/nn/ops/gelu.ts` is part of `src/nn`, `src/index.ts` and `kernel/main.ts` stand for themselves. */
const partOf = (file: string): string => file.split("/").slice(0, 2).join("/");

/** What a file imports or exports from by a relative path, types included, and what it names in `import()` and `new URL()`. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), "utf8");
  const { module } = parseSync(file, text);
  const named = [
    ...module.staticImports.map((each) => each.moduleRequest.value),
    ...module.staticExports.flatMap((each) => each.entries.map((entry) => entry.moduleRequest?.value ?? "")),
    ...module.dynamicImports.map(({ moduleRequest }) => text.slice(moduleRequest.start + 1, moduleRequest.end - 1)),
    ...Array.from(text.matchAll(/new URL\("([^"]+\.js)", import\.meta\.url\)/g), ([, target]) => target!),
  ];
  return named
    .filter((each) => each.startsWith("."))
    .map((each) => path.posix.join(path.posix.dirname(file), each).replace(/\.js$/, ".ts"))
    .filter((target) => /^(?:src|kernel)\/.*\.ts$/.test(target) && existsSync(path.join(root, target)));
}

/** What the folders of src/ and kernel/ import of each other. */
export function folderImports(): Imports {
  const imports: Imports = new Map();
  for (const tree of ["src", "kernel"]) {
    const files = readdirSync(path.join(root, tree), { recursive: true, encoding: "utf8" });
    for (const file of files
      .filter((each) => /\.ts$/.test(each))
      .map((each) => path.posix.join(tree, each))
      .sort()) {
      const from = partOf(file);
      const to = imports.get(from) ?? new Set();
      imports.set(from, to);
      for (const target of importsOf(file)) if (partOf(target) !== from) to.add(partOf(target));
    }
  }
  return imports;
}

/** Folders from the bottom up: each after all that it imports. */
export function orderOf(imports: Imports): string[] {
  const order: string[] = [];
  const open = new Set<string>();
  const visit = (folder: string): void => {
    if (order.includes(folder)) return;
    if (open.has(folder)) throw new Error(`${[...open, folder].join(" imports ")}: an import cycle of folders`);
    open.add(folder);
    for (const below of [...(imports.get(folder) ?? [])].sort()) visit(below);
    open.delete(folder);
    order.push(folder);
  };
  for (const folder of [...imports.keys()].sort()) visit(folder);
  return order;
}

/** The drawing as Mermaid. An import is left out where a longer way of imports leads to the same folder. */
export function drawing(imports: Imports): string {
  const order = orderOf(imports);
  const reached = new Map<string, Set<string>>();
  for (const folder of order) {
    const below = [...imports.get(folder)!];
    reached.set(folder, new Set(below.flatMap((each) => [each, ...reached.get(each)!])));
  }
  const id = (folder: string): string => folder.replace(/\W/g, "_");
  const lines = ["```mermaid", "flowchart TB"];
  for (const tree of ["kernel", "src"]) {
    const inside = order.filter((each) => each.startsWith(`${tree}/`)).reverse();
    lines.push(
      `  subgraph ${tree}`,
      ...inside.map((each) => `    ${id(each)}["${each.slice(tree.length + 1)}"]`),
      "  end",
    );
  }
  for (const folder of [...order].reverse()) {
    const below = [...imports.get(folder)!];
    const direct = below.filter((each) => !below.some((other) => other !== each && reached.get(other)!.has(each)));
    for (const each of direct.sort()) lines.push(`  ${id(folder)} --> ${id(each)}`);
  }
  return [...lines, "```"].join("\n");
}

/** The text of docs/architecture.md with the drawing of the imports as they are. */
export function withDrawing(text: string): string {
  const [begin, end] = marks.map((mark) => text.indexOf(mark)) as [number, number];
  if (begin < 0 || end < begin) throw new Error(`docs/architecture.md lacks the lines ${marks.join(" and ")}`);
  return `${text.slice(0, begin + marks[0].length)}\n${drawing(folderImports())}\n${text.slice(end)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  writeFileSync(page, withDrawing(readFileSync(page, "utf8")));
