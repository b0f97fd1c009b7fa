/**
 * What a notebook's types cost at 1, 100 and 500 cells with tfjs imported, beside tslab and the JavaScript language
 * service of TypeScript 5.9, each in a process of its own, in one run.
 *
 *     npm run build && node dist/bench/cells.js [cells...]
 *
 * Every question is asked of a text that changed. Each figure is the wall clock's median, then the processor time of all
 * processes that take part, which a busy machine changes less. The peers are installed in a temporary folder.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Checker } from "../kernel/check/checker.ts";
import { Completer } from "../kernel/check/complete/complete.ts";
import { inspect } from "../kernel/check/complete/inspect.ts";

interface Subject {
  /** Type-checks a cell that follows the ones before; the number of errors. */
  check(code: string): Promise<number>;
  complete(code: string, cursor: number): Promise<number>;
  hover(code: string, cursor: number): Promise<boolean>;
  /** Runs cells, as far as types are concerned. */
  run(cells: string[]): Promise<void>;
  /** Checks a cell without errors and runs it. */
  declare(cell: string): Promise<void>;
  /** A process that works for it. */
  readonly helper?: number;
  close(): Promise<void>;
}

interface Figure {
  wall: number;
  processor?: number;
}
type Figures = Record<string, Figure>;
const subjects = { halftone, tslab, "TypeScript 5.9": javascript };
type Name = keyof typeof subjects;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const rounds = 20;
/** Milliseconds after which a question has been asked often enough. */
const enough = 5000;

const [mode, ...rest] = process.argv.slice(2);
if (mode === "--measure") {
  const [name, count, folder] = rest as [Name, string, string];
  console.log(JSON.stringify(await measure(name, Number(count), folder)));
} else await compare(process.argv.slice(2).map(Number));

async function compare(given: number[]): Promise<void> {
  const sizes = given.length > 0 ? given : [1, 100, 500];
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-cells-"));
  try {
    install(folder);
    for (const size of sizes) {
      const found = new Map<Name, Figures>();
      for (const name of Object.keys(subjects) as Name[]) found.set(name, await inProcess(name, size, folder));
      print(size, found);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(folder: string): void {
  writeFileSync(path.join(folder, "package.json"), "{}");
  const packages = ["tslab@1.0.22", "typescript@5.9"];
  const npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...packages];
  if (spawnSync("npm", npm, { cwd: folder, stdio: "inherit" }).status !== 0) throw new Error("npm install failed");
  symlinkSync(path.join(root, "node_modules", "@tensorflow"), path.join(folder, "node_modules", "@tensorflow"));
  mkdirSync(path.join(folder, "node_modules", "@types"), { recursive: true });
}

function inProcess(name: Name, size: number, folder: string): Promise<Figures> {
  const args = [fileURLToPath(import.meta.url), "--measure", name, String(size), folder];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(text) as Figures);
      else reject(new Error(`${name} at ${size} cells ended with exit code ${code}`));
    });
  });
}

async function measure(name: Name, size: number, folder: string): Promise<Figures> {
  const figures: Figures = {};
  const started = performance.now();
  const subject = await subjects[name](folder);
  const opening =
    'import * as tf from "@tensorflow/tfjs";\nconst x0 = tf.tensor([1, 2]); function f0(a: number) { return a; }';
  await expectErrors(subject, opening, 0);
  figures["first check, from the start"] = { wall: performance.now() - started, processor: processorTime(subject) };
  await subject.run([opening]);
  await subject.run(Array.from({ length: size - 1 }, (_, index) => cell(index + 1)));
  const last = size - 1;
  figures["a cell without tfjs"] = await median(subject, (round) =>
    expectErrors(subject, `const y = [${round}, 2].map((v) => v + 1);\nconst wrong: string = y;`, 1),
  );
  figures["a cell with tfjs"] = await median(subject, (round) =>
    expectErrors(subject, `const y = x${last}.add(tf.scalar(f${last}(${round})));\nconst wrong: string = y;`, 1),
  );
  // These come last in the notebook one after another, as when all of it is run.
  let next = 0;
  const declaring = (lines: (name: string) => string) => () => subject.declare(lines(`new${next++}`));
  figures["declares two names"] = await median(
    subject,
    declaring(
      (name) =>
        `const ${name} = [1, 2].map((v) => v + 1);\nfunction ${name}Of(x: number) { return ${name}.length + x; }`,
    ),
  );
  figures["the same, of tensors"] = await median(
    subject,
    declaring(
      (name) => `const ${name} = tf.scalar(1).add(x0);\nfunction ${name}Of(x: tf.Tensor) { return ${name}.mul(x); }`,
    ),
  );
  figures["members of a tensor"] = await median(subject, async (round) => {
    const code = `const k${round} = 1;\nx${last}.ad`;
    if ((await subject.complete(code, code.length)) === 0) throw new Error("nothing to complete");
  });
  figures["another's, just after a check"] = await median(
    subject,
    async (round) => {
      const code = `const k${round} = 1;\nx${Math.max(0, last - round)}.ad`;
      if ((await subject.complete(code, code.length)) === 0) throw new Error("nothing to complete");
    },
    (round) => expectErrors(subject, `const wrong: string = ${round};`, 1),
  );
  figures["the same, the next letter"] = await median(subject, async (round) => {
    const code = `const k = ${rounds};\nx${last}.${"addN".slice(0, round % 4)}`;
    await subject.complete(code, code.length);
  });
  figures["any name"] = await median(subject, async (round) => {
    const code = `const k${round} = 1;\nf`;
    if ((await subject.complete(code, code.length)) === 0) throw new Error("nothing to complete");
  });
  figures.hover = await median(subject, async (round) => {
    const code = `const h${round} = x${last};`;
    if (!(await subject.hover(code, code.length - 2))) throw new Error("nothing to hover");
  });
  figures["memory (MB)"] = { wall: memory(subject) / 1e6 };
  await subject.close();
  return figures;
}

/** Most cells use what a cell shortly before them declared. */
function cell(index: number): string {
  const before = index - 1 - (index % 3 === 0 ? Math.min(index - 1, 2) : 0);
  return [
    `const x${index} = tf.tensor([${index}, 2]).add(x${before});`,
    `const n${index} = f${before}(${index}) + 1;`,
    `function f${index}(a: number) { return a * n${index}; }`,
    `class Layer${index} { scale = n${index}; apply(x: tf.Tensor) { return x.mul(this.scale); } }`,
  ].join("\n");
}

async function expectErrors(subject: Subject, code: string, count: number): Promise<void> {
  const found = await subject.check(code);
  if (found !== count) throw new Error(`${found} errors, not ${count}, in: ${code}`);
}

/** `prepare` is not timed, but counts as processor time. */
async function median(
  subject: Subject,
  action: (round: number) => Promise<void>,
  prepare = async (_round: number) => {},
): Promise<Figure> {
  await action(rounds);
  const times: number[] = [];
  const before = processorTime(subject);
  const began = performance.now();
  for (let round = 0; round < rounds && (round < 3 || performance.now() - began < enough); round++) {
    await prepare(round);
    const start = performance.now();
    await action(round);
    times.push(performance.now() - start);
  }
  const processor = (processorTime(subject) - before) / times.length;
  return { wall: times.sort((a, b) => a - b)[times.length >> 1]!, processor };
}

/** Milliseconds of processor time, of this process and the one that works for it. */
function processorTime({ helper }: Subject): number {
  const { user, system } = process.cpuUsage();
  const stat = helper === undefined ? [] : readFileSync(`/proc/${helper}/stat`, "utf8").split(") ")[1]!.split(" ");
  const ticks = Number(stat[11] ?? 0) + Number(stat[12] ?? 0);
  return (user + system) / 1000 + ticks * 10;
}

/** Bytes. */
function memory({ helper }: Subject): number {
  return residentOf(process.pid) + (helper === undefined ? 0 : residentOf(helper));
}

function print(size: number, found: ReadonlyMap<Name, Figures>): void {
  const names = [...found.keys()];
  const width = 28;
  const title = `${size} ${size === 1 ? "cell" : "cells"} (ms)`;
  console.log(`\n${title.padEnd(30)}${names.map((name) => name.padStart(width)).join("")}`);
  for (const row of Object.keys(found.get("halftone")!)) {
    const ours = found.get("halftone")![row]!;
    const columns = names.map((name) => {
      const { wall, processor } = found.get(name)![row]!;
      const ratio = name === "halftone" ? "" : ` (x${(wall / ours.wall).toFixed(1)})`;
      return `${short(wall)}${processor === undefined ? "" : ` / ${short(processor)}`}${ratio}`.padStart(width);
    });
    console.log(row.padEnd(30) + columns.join(""));
  }
}

function short(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}

function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
}

async function halftone(folder: string): Promise<Subject> {
  const checker = new Checker({ cwd: folder, patience: 60_000 });
  const completer = new Completer(checker);
  return {
    check: async (code) => {
      const { problems, note } = await checker.check(code);
      if (note !== undefined) throw new Error(note);
      return problems.length;
    },
    complete: async (code, cursor) => (await completer.complete(code, cursor))?.items.length ?? 0,
    hover: async (code, cursor) => (await inspect(checker, async () => undefined, code, cursor, 0)) !== undefined,
    run: async (cells) => {
      for (const code of cells) {
        await checker.check(code);
        checker.end(checker.begin(code), true);
      }
    },
    declare: async (code) => {
      const { problems } = await checker.check(code);
      if (problems[0]) throw new Error(problems[0].message);
      checker.end(checker.begin(code), true);
    },
    get helper() {
      return checker.pid!;
    },
    close: () => checker[Symbol.asyncDispose](),
  };
}

async function tslab(folder: string): Promise<Subject> {
  interface Converter {
    convert(declarations: string, code: string): { declOutput?: string; diagnostics: unknown[] };
    complete(declarations: string, code: string, cursor: number): { candidates: string[] };
    inspect(declarations: string, code: string, cursor: number): unknown;
    close(): void;
  }
  const require = createRequire(path.join(folder, "package.json"));
  const peer = "tslab/dist/converter.js";
  const { createConverter } = require(peer) as { createConverter: () => Converter };
  const converter = createConverter();
  let declarations = "";
  return {
    check: async (code) => converter.convert(declarations, code).diagnostics.length,
    complete: async (code, cursor) => converter.complete(declarations, code, cursor).candidates.length,
    hover: async (code, cursor) => converter.inspect(declarations, code, cursor) != null,
    // All at once: its declarations are the same text then, and one by one takes minutes.
    run: async (cells) => {
      if (cells.length > 0) declarations = converter.convert(declarations, cells.join("\n")).declOutput ?? "";
    },
    declare: async (code) => {
      declarations = converter.convert(declarations, code).declOutput ?? "";
    },
    close: async () => converter.close(),
  };
}

/** One document with all cells in a row, which is what its language service is made for. */
async function javascript(folder: string): Promise<Subject> {
  const require = createRequire(path.join(folder, "package.json"));
  // biome-ignore lint/suspicious/noExplicitAny: another version of the compiler, whose types are not at hand
  const ts = require("typescript") as any;
  const file = path.join(folder, "notebook.ts");
  let text = "";
  let version = 0;
  let past = "";
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({
      strict: true,
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      moduleDetection: ts.ModuleDetectionKind.Force,
      lib: ["lib.esnext.d.ts"],
      types: ["node"],
      typeRoots: [path.join(root, "node_modules", "@types")],
      skipLibCheck: true,
      noEmit: true,
    }),
    getScriptFileNames: () => [file],
    getScriptVersion: (name: string) => (name === file ? String(version) : "1"),
    getScriptSnapshot: (name: string) => {
      const content = name === file ? text : ts.sys.readFile(name);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: (options: object) => ts.getDefaultLibFilePath(options),
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath,
  });
  const put = (code: string) => {
    text = past + code;
    version++;
  };
  const check = async (code: string): Promise<number> => {
    put(code);
    return service.getSyntacticDiagnostics(file).length + service.getSemanticDiagnostics(file).length;
  };
  return {
    check,
    complete: async (code, cursor) => {
      put(code);
      return service.getCompletionsAtPosition(file, past.length + cursor, {})?.entries.length ?? 0;
    },
    hover: async (code, cursor) => {
      put(code);
      return service.getQuickInfoAtPosition(file, past.length + cursor) !== undefined;
    },
    run: async (cells) => {
      for (const code of cells) past += `${code}\n`;
    },
    declare: async (code) => {
      await check(code);
      past += `${code}\n`;
    },
    close: async () => service.dispose(),
  };
}
