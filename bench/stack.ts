// Draws which folders of src/ and kernel/ import which, from the import statements, into docs/architecture.md: node dist/bench/stack.js
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseSync } from "oxc-parser";

/** For each folder, those that it uses. */
type Uses = Map<string, Set<string>>;

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = path.join(root, "docs/architecture.md");
const marks = ["<!-- stack: node dist/bench/stack.js -->", "<!-- end of stack -->"] as const;

/** `src/nn/ops/gelu.ts` is part of `src/nn`; `src/index.ts` and `kernel/main.ts` are parts of their own. */
const partOf = (file: string): string => file.split("/").slice(0, 2).join("/");

/** The files of src/ and kernel/ that relative specifiers of a file name. */
const filesOf = (file: string, specifiers: string[]): string[] =>
  specifiers
    .filter((each) => each.startsWith("."))
    .map((each) => path.posix.join(path.posix.dirname(file), each).replace(/\.js$/, ".ts"))
    .filter((target) => /^(?:src|kernel)\/.*\.ts$/.test(target) && existsSync(path.join(root, target)));

/** What a file imports or exports from, types included. */
function importsOf(file: string, text: string): string[] {
  const { module } = parseSync(file, text);
  return filesOf(file, [
    ...module.staticImports.map((each) => each.moduleRequest.value),
    ...module.staticExports.flatMap((each) => each.entries.map((entry) => entry.moduleRequest?.value ?? "")),
    ...module.dynamicImports.map(({ moduleRequest }) => text.slice(moduleRequest.start + 1, moduleRequest.end - 1)),
  ]);
}

/** What a file names by `new URL(..., import.meta.url)`: what it starts as a process or a thread. */
const startsOf = (file: string, text: string): string[] =>
  filesOf(
    file,
    Array.from(text.matchAll(/new URL\("([^"]+\.js)", import\.meta\.url\)/g), ([, target]) => target!),
  );

function readUses(): { imports: Uses; starts: Uses } {
  const imports: Uses = new Map();
  const starts: Uses = new Map();
  const add = (uses: Uses, from: string, targets: string[]): void => {
    const others = targets.map(partOf).filter((to) => to !== from);
    uses.set(from, new Set([...(uses.get(from) ?? []), ...others]));
  };
  for (const tree of ["src", "kernel"]) {
    const files = readdirSync(path.join(root, tree), { recursive: true, encoding: "utf8" });
    for (const file of files.filter((each) => each.endsWith(".ts")).map((each) => path.posix.join(tree, each))) {
      const text = readFileSync(path.join(root, file), "utf8");
      add(imports, partOf(file), importsOf(file, text));
      add(starts, partOf(file), startsOf(file, text));
    }
  }
  return { imports, starts };
}

/** Folders from the bottom up: each after all that it imports. */
function orderOf(imports: Uses): string[] {
  const order: string[] = [];
  const open = new Set<string>();
  const visit = (folder: string): void => {
    if (order.includes(folder)) return;
    if (open.has(folder)) throw new Error(`import cycle: ${[...open, folder].join(" imports ")}`);
    open.add(folder);
    for (const below of [...imports.get(folder)!].sort()) visit(below);
    open.delete(folder);
    order.push(folder);
  };
  for (const folder of [...imports.keys()].sort()) visit(folder);
  return order;
}

/** The drawing as Mermaid. An import is left out when a longer chain of imports leads to the same folder. */
function drawing(): string {
  const { imports, starts } = readUses();
  const order = orderOf(imports);
  const reached = new Map<string, Set<string>>();
  for (const folder of order) {
    const below = [...imports.get(folder)!];
    reached.set(folder, new Set(below.flatMap((each) => [each, ...reached.get(each)!])));
  }
  const topDown = [...order].reverse();
  const id = (folder: string): string => folder.replace(/\W/g, "_");
  const lines = ["```mermaid", "flowchart TB"];
  for (const tree of ["kernel", "src"]) {
    const inside = topDown.filter((each) => each.startsWith(`${tree}/`));
    const nodes = inside.map((each) => `    ${id(each)}["${each.slice(tree.length + 1)}"]`);
    lines.push(`  subgraph ${tree}`, ...nodes, "  end");
  }
  for (const folder of topDown) {
    const below = [...imports.get(folder)!].sort();
    for (const each of below)
      if (!below.some((other) => reached.get(other)!.has(each))) lines.push(`  ${id(folder)} --> ${id(each)}`);
    for (const each of [...starts.get(folder)!].sort())
      if (!reached.get(folder)!.has(each)) lines.push(`  ${id(folder)} -. starts .-> ${id(each)}`);
  }
  return [...lines, "```"].join("\n");
}

/** The text of docs/architecture.md with the drawing of the imports as they are. */
export function withDrawing(text: string): string {
  const [begin, end] = marks.map((mark) => text.indexOf(mark)) as [number, number];
  if (begin < 0 || end < begin) throw new Error(`docs/architecture.md lacks the lines ${marks.join(" and ")}`);
  return `${text.slice(0, begin + marks[0].length)}\n${drawing()}\n${text.slice(end)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  writeFileSync(page, withDrawing(readFileSync(page, "utf8")));
