/** The magics that need no timing. Loaded when the first one is used. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { formatBytes } from "../../../src/base/bytes.ts";
import { magics } from "../../magics/names.ts";
import { tensorMemory } from "../io/usage.ts";
import { describeRemotely, lexicalNames, look, newGlobals } from "../live-values.ts";
import { previewOf, typeName } from "../passive.ts";
import { globalObject } from "../primordials.ts";
import { memoryOf } from "./memory-of.ts";
import { shell } from "./shell.ts";

let previousFolder: string | undefined;

const lines: Record<string, (argument: string) => void | Promise<void>> = {
  "!": async (command) => void (await shell(["-c", command])),
  "%help": help,
  "%env": environment,
  "%cd": changeFolder,
  "%who": (types) => {
    const found = variables(types).map(({ name }) => name);
    console.log(found.join("  ") || noVariables(types));
  },
  "%whos": describeVariables,
  "%autoreload": () => console.log("nothing to do: a file that a cell imports is loaded again when it has changed"),
  "%import": (statement) => {
    if (statement === "") throw new SyntaxError("%import needs names: %import randn readFile");
    console.log(statement);
  },
  "%memory": memory,
  "%time": () => {
    throw new SyntaxError("%time needs code after it on its line; %%time times a cell");
  },
  "%timeit": () => {
    throw new SyntaxError("%timeit needs code after it on its line");
  },
};

const cells: Record<string, (argument: string, body: string) => void | Promise<void>> = {
  "%%html": (_argument, body) => show({ "text/html": body }),
  "%%markdown": (_argument, body) => show({ "text/markdown": body }),
  "%%bash": async (_argument, body) => {
    const status = await shell(["-s"], body);
    if (status !== 0) throw new Error(`bash ended with status ${status}`);
  },
  "%%writefile": writeCell,
};

export async function runLine(name: string, argument: string): Promise<void> {
  await lines[name]!(argument);
}

export async function runCell(name: string, argument: string, body: string): Promise<void> {
  await cells[name]!(argument, body);
}

function show(data: Record<string, string>): void {
  const display = Reflect.get(globalObject, Symbol.for("halftone.display")) as (data: object) => void;
  display(data);
}

function help(): void {
  const width = Math.max(...magics.map(({ usage }) => usage.length));
  const text = magics.map(({ usage, what }) => `${usage.padEnd(width)}  ${what}`).join("\n");
  const rows = magics.map(({ usage, what }) => `| \`${usage.replaceAll("|", "\\|")}\` | ${what} |`);
  show({ "text/plain": text, "text/markdown": ["| magic | what it does |", "| --- | --- |", ...rows].join("\n") });
}

function environment(argument: string): void {
  const [, name, value] = /^([^\s=]+)(?:\s*=\s*|\s+)?(.+)?$/.exec(argument) ?? [];
  if (name === undefined) {
    for (const [key, held] of Object.entries(process.env)) console.log(`${key}=${held}`);
  } else if (value === undefined) {
    if (process.env[name] === undefined) throw new Error(`the environment variable ${name} is not set`);
    console.log(process.env[name]);
  } else {
    process.env[name] = value;
    console.log(`${name}=${value}`);
  }
}

function changeFolder(argument: string): void {
  const folder = argument.replace(/^(["'])(.*)\1$/, "$2");
  if (folder === "-" && previousFolder === undefined) throw new Error("%cd - : there is no folder before this one");
  const target = folder === "-" ? previousFolder! : folder.replace(/^~(?=$|[/\\])/, homedir()) || homedir();
  const before = process.cwd();
  process.chdir(target);
  previousFolder = before;
  console.log(process.cwd());
}

/** The variables, or those of the given types: `Array` also stands for `Array(3)`. */
function variables(types: string): { name: string; value: unknown; type: string }[] {
  const wanted = types
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((each) => each !== "");
  const names = [...new Set([...lexicalNames(), ...newGlobals()])].sort();
  const all = names.map((name) => {
    const value = look(name)?.value;
    return { name, value, type: typeName(value) };
  });
  if (wanted.length === 0) return all;
  return all.filter(({ type }) => wanted.includes(type.replace(/\(.*/, "").toLowerCase()));
}

function noVariables(types: string): string {
  return types === "" ? "no variables yet" : `no variables of type ${types}`;
}

function describeVariables(types: string): void {
  const found = variables(types);
  if (found.length === 0) {
    console.log(noVariables(types));
    return;
  }
  const rows = found.map(({ name, value, type }) => {
    const preview = previewOf(value, describeRemotely).replace(/\s*\n\s*/g, " ");
    const memory = memoryOf(value);
    const bytes = memory === undefined ? "" : `${memory.isWhole ? "" : "over "}${formatBytes(memory.bytes)}`;
    return [name, type, bytes, preview.length > 80 ? `${preview.slice(0, 79)}…` : preview];
  });
  const table = [["Variable", "Type", "Memory", "Value"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const [name, type, bytes, value] of table)
    console.log([name!.padEnd(widths[0]!), type!.padEnd(widths[1]!), bytes!.padStart(widths[2]!), value].join("  "));
}

function memory(): void {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const peak = peakOf();
  console.log(`process      ${formatBytes(rss)}${peak ? ` (at most ${formatBytes(peak)})` : ""}`);
  console.log(`JavaScript   ${formatBytes(heapUsed)}`);
  console.log(`buffers      ${formatBytes(external + arrayBuffers)}`);
  const native = tensorMemory();
  if (native) {
    const { live, peak: most, tensors } = native;
    console.log(`tensors      ${formatBytes(live)} in ${tensors} (at most ${formatBytes(most)})`);
  } else console.log("tensors      none: no tensor library is loaded");
}

function peakOf(): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return kilobytes ? Number(kilobytes) * 1024 : undefined;
  } catch {
    return undefined;
  }
}

function writeCell(argument: string, body: string): void {
  const [, adding, name] = /^(-a\s+)?(.+)$/.exec(argument) ?? [];
  if (name === undefined) throw new SyntaxError("%%writefile needs a file's name: %%writefile [-a] FILE");
  const file = path.resolve(name.replace(/^(["'])(.*)\1$/, "$2"));
  const text = body.endsWith("\n") ? body : `${body}\n`;
  if (adding) appendFileSync(file, text);
  else writeFileSync(file, text);
  console.log(`${adding ? "Added to" : "Wrote"} ${file}`);
}
