/** tslab's own kernel beside the packed library, as someone has them who stays with tslab. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { stage } from "../../release/stage.ts";
import { cacheFolder } from "../../src/runtime/setup/cache.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Runs npm, and gives what it said. */
export function npm(args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync("npm", [...args, "--loglevel=error"], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${stderr}`);
  return stdout;
}

/** Packs the library as it would be published, into `folder`. */
export async function packed(folder: string): Promise<string> {
  const contents = path.join(folder, "package");
  await stage(root, contents);
  const args = ["pack", contents, "--silent", "--ignore-scripts", "--pack-destination", folder];
  return path.join(folder, npm(args, root).trim().split("\n").at(-1)!);
}

/** Lays the packed library and what it depends on into `folder/node_modules`, without asking a registry again. */
export function layOut(tarball: string, folder: string): void {
  const modules = path.join(folder, "node_modules");
  mkdirSync(path.join(modules, "halftone"), { recursive: true });
  spawnSync("tar", ["-xzf", tarball, "-C", path.join(modules, "halftone"), "--strip-components=1"]);
  for (const name of readdirSync(path.join(root, "node_modules")))
    if (!name.startsWith(".") && name !== "danfojs-node")
      symlinkSync(path.join(root, "node_modules", name), path.join(modules, name));
}

/** The program of tslab, installed once for this user. */
export function tslabProgram(): string {
  const folder = path.join(cacheFolder(), "peers-tslab");
  const program = path.join(folder, "node_modules/tslab/bin/tslab");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
    npm(["install", "--ignore-scripts", "--no-audit", "--no-fund", "tslab@1.0.22"], folder);
  }
  return program;
}

interface Cell {
  cell_type: string;
  source: string[];
  metadata: { tags?: string[] };
}

/** A course notebook with smaller parameters and the three changes that docs/from-tslab.md asks for. */
export function forTslab(name: string, parameters: Record<string, number>, setUp: string): string {
  const notebook = JSON.parse(readFileSync(path.join(root, "notebooks", name), "utf8")) as { cells: Cell[] };
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    let code = cell.source.join("");
    if (cell.metadata.tags?.includes("parameters"))
      for (const [key, value] of Object.entries(parameters))
        code = code.replace(new RegExp(`let ${key} = [^;]+;`), `let ${key} = ${value};`);
    cell.source = [showLast(spellOut(code))];
  }
  const first = { cell_type: "code", id: "tslab", metadata: {}, source: [setUp], outputs: [], execution_count: null };
  notebook.cells.unshift(first);
  return JSON.stringify(notebook);
}

type Node = { type: string; start: number; end: number; [key: string]: unknown };
const parse = (code: string) =>
  parseSync("cell.ts", code, { lang: "ts", sourceType: "module" }).program as unknown as Node & { body: Node[] };

/** `{ seed }` as `{ seed: seed }`: tslab does not find an earlier cell's variable in the short form. */
function spellOut(code: string): string {
  const short: Node[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === "object" && value !== null) {
      const node = value as Node;
      if (node.type === "ObjectExpression")
        short.push(...(node.properties as Node[]).filter(({ shorthand }) => shorthand === true));
      Object.values(node).forEach(walk);
    }
  };
  walk(parse(code));
  let out = code;
  for (const { start, end } of short.sort((a, b) => b.start - a.start)) {
    const name = code.slice(start, end);
    out = `${out.slice(0, start)}${name}: ${name}${out.slice(end)}`;
  }
  return out;
}

/** The last expression inside of `show(...)`. */
function showLast(code: string): string {
  const last = parse(code).body.at(-1);
  if (last?.type !== "ExpressionStatement") return code;
  const { start, end } = last.expression as Node;
  return `${code.slice(0, start)}show(${code.slice(start, end)})${code.slice(end)}`;
}
