import { installHint } from "../compile/install-hint.ts";
import type { CompilerOptions } from "../compile/tsconfig.ts";
import { parsePartial } from "./complete/parse-partial.ts";
import { Analyses } from "./program/analysis.ts";
import { emptyText } from "./program/cell-files.ts";
import { type Config, readConfig } from "./program/config.ts";
import { globalsText } from "./program/globals.ts";
import { inferred } from "./program/materialize-types.ts";
import { candidates, missingModules } from "./program/missing.ts";
import { kernelExports, kernelSubpaths } from "./program/packages.ts";
import { currentModule, globalsModule, namesModule, proofModule } from "./program/paths.ts";
import { type PastCell, Program } from "./program/program.ts";
import { Sources } from "./program/sources.ts";
import { writeTypes } from "./program/type-printing.ts";
import { type OwnPlace, readProblems, type TypeProblem } from "./report/problem.ts";
import { Mutex } from "./server/mutex.ts";
import { ServerEnded } from "./server/server.ts";
import { configModule, Workspace } from "./server/workspace.ts";

export interface CheckerOptions {
  /** The notebook's folder. */
  cwd: string;
  /** A folder in whose `node_modules` its packages are, instead of in its own. */
  packages?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** The notebook's own compiler options, over those of the nearest tsconfig.json. */
  compilerOptions?: CompilerOptions;
  /** Milliseconds after which a check is given up, its server replaced and the cell not checked. Default: 10,000. */
  patience?: number;
  /** Milliseconds of checks after which the types of what ran meanwhile are written down. Default: 250. */
  freezeAfter?: number;
}

/** What was found in a cell before it runs. */
export interface Verdict {
  problems: TypeProblem[];
  /** Why the cell was not checked, or how it was checked otherwise than asked, in a sentence. */
  note?: string;
}

/** A cell's place in the notebook. */
export interface CellName {
  /** The front end's name for the cell, the same each time it runs. */
  key?: string | undefined;
  /** How messages call it: `cell [3]`. */
  label?: string | undefined;
}

/** Milliseconds without a question after which there is time for more. */
const quiet = 100;

/**
 * One notebook's types. Cells are checked in the light of those that ran before, by the native TypeScript language
 * server, which starts behind, is replaced when it dies or hangs, and never keeps a cell from running.
 */
export class Checker implements AsyncDisposable {
  readonly cwd: string;
  readonly patience: number;
  readonly history = new Program();
  readonly #packages: string | undefined;
  readonly #env: NodeJS.ProcessEnv;
  #config: Promise<Config>;
  readonly #mutex = new Mutex();
  readonly #analyses = new Analyses();
  readonly #labels = new Map<number, string>();
  /** What cells with type errors declare, and which: it is not there unless one ran all the same. */
  readonly #stopped = new Map<string, string>();
  /** What cells declare that run, or ended before their end. */
  readonly #unfinished = new Map<string, string>();
  #workspace: Promise<Workspace> | undefined;
  #process: Workspace | undefined;
  readonly #notes: string[] = [];
  readonly #freezeAfter: number;
  /** Cells whose variables' types are worked out anew at each check, and what checks took since there are any. */
  #loose: PastCell[] = [];
  #spent = 0;
  #reloads = 0;
  /** The server will be told of the history as it is then. */
  #updating = false;
  readonly #sources = new Sources();
  /** Files on disk that the server must be told of. */
  readonly #changedFiles: string[] = [];
  #warming: NodeJS.Timeout | undefined;
  #failures = 0;
  #disposed = false;

  constructor(options: CheckerOptions) {
    const { cwd, packages, env = process.env, compilerOptions, patience = 10_000, freezeAfter = 250 } = options;
    this.cwd = cwd;
    this.#packages = packages;
    this.#env = env;
    this.patience = patience;
    this.#freezeAfter = freezeAfter;
    this.#config = readConfig(cwd, compilerOptions, packages);
    this.#config.then(({ problem }) => problem !== undefined && this.note(problem)).catch(() => {});
  }

  /** Starts the server, if it does not run: what is asked first then waits less. */
  warm(): void {
    this.#running().catch(() => {});
  }

  /** Checks by other compiler options from now on. */
  configure(compilerOptions: CompilerOptions): void {
    this.#config = readConfig(this.cwd, compilerOptions, this.#packages);
  }

  /** Something to say with the next cell that is checked. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Another number whenever what is known of the notebook's names may be another. */
  get revision(): number {
    this.#lookAtFiles("");
    return this.history.revision;
  }

  /** The server's process id, while it has one. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Reads a cell that is not to be checked, so that `begin` knows it. */
  async read(source: string): Promise<void> {
    await this.#analyses.read(source).catch(() => {});
  }

  /** Type errors of a cell that is about to run. Its syntax errors are the compiler's to tell. */
  async check(source: string, { key, label, signal }: CellName & { signal?: AbortSignal } = {}): Promise<Verdict> {
    let started = performance.now();
    try {
      const analysis = await this.#analyses.read(source);
      if (!analysis || (analysis.trivial && !this.history.names.get("console"))) return { problems: [] };
      const { facts, language } = analysis;
      if (language === "tsx") for (const name of (await this.#config).jsxVariables) facts.used.add(name);
      const module = currentModule[language];
      const { text, lines } = this.history.current(analysis.text, facts);
      const found = await this.ask(async (workspace) => {
        started = performance.now();
        const hidden = this.history.augmentedBy(facts, key);
        for (const each of hidden) workspace.put(...this.history.withoutAugmentations(each));
        workspace.put(module, text);
        workspace.put(configModule, await this.#configText());
        this.#tellFiles(workspace, text);
        const items = await workspace.diagnose(module);
        const missing = missingModules(items);
        const paths = candidates(this.cwd, missing);
        if (paths.length > 0) {
          workspace.filesChanged("created", paths);
          this.#reloads++;
          workspace.put(configModule, await this.#configText());
          return workspace.diagnose(module);
        }
        return items;
      }, signal);
      this.#spent += performance.now() - started;
      this.#warmNames();
      const count = analysis.text.split("\n").length;
      const problems = readProblems(found, { lines, count, labels: (place) => this.#labelOf(place) });
      for (const each of problems) suggestRemedy(each, this.#stopped);
      if (label !== undefined && problems.some(({ severity }) => severity === "error"))
        for (const [name] of facts.declared) this.#stopped.set(name, label);
      return { problems, ...this.#takeNote() };
    } catch (error) {
      return { problems: [], note: `types were not checked: ${(error as Error).message}` };
    }
  }

  /** The cell begins to run: from now on its names have the types that it gives them. */
  begin(source: string, { key, label }: CellName = {}): PastCell | undefined {
    const analysis = this.#analyses.known(source);
    if (!analysis) return undefined;
    const cell = this.history.begin(analysis.text, analysis.facts, analysis.language === "tsx", key);
    for (const [name] of cell.facts.declared) {
      this.#stopped.delete(name);
      if (label !== undefined) this.#unfinished.set(name, label);
    }
    if (label !== undefined) this.#labels.set(cell.id, label);
    if (inferred(cell.facts).length > 0) this.#loose.push(cell);
    this.#update();
    if (this.#loose.length > 0 && this.#spent >= this.#freezeAfter) this.#freeze();
    return cell;
  }

  /** It ended. What a cell narrowed holds only if it ran to its end. */
  end(cell: PastCell | undefined, ok: boolean): void {
    if (!cell || !ok) return;
    const label = this.#labels.get(cell.id);
    for (const [name] of cell.facts.declared) if (this.#unfinished.get(name) === label) this.#unfinished.delete(name);
    if (cell.facts.touched.size === 0) return;
    this.history.succeed(cell);
    this.#update();
  }

  /** Why a name that a cell declares has no value, as a sentence. */
  whyUndefined(name: string): string | undefined {
    const stopped = this.#stopped.get(name);
    if (stopped !== undefined) return `${stopped} declares it and did not run`;
    const unfinished = this.#unfinished.get(name);
    return unfinished && `${unfinished} declares it and did not finish`;
  }

  /** The program's variables are lost: so are their types. */
  reset(): void {
    this.history.clear();
    this.#labels.clear();
    this.#stopped.clear();
    this.#unfinished.clear();
    this.#loose = [];
    this.#update();
  }

  /** Puts a cell's text before the server, as far as it can be read, with `more` names, and asks something about it. */
  async about<Answer>(
    source: string,
    more: readonly string[],
    question: (workspace: Workspace, module: string, lines: number) => Promise<Answer>,
  ): Promise<Answer> {
    const { text: cell, facts, tsx } = parsePartial(source);
    const module = tsx ? currentModule.tsx : currentModule.ts;
    const { text, lines } = this.history.current(cell, facts, more);
    return this.ask(async (workspace) => {
      workspace.put(module, text);
      this.#tellFiles(workspace, text);
      return question(workspace, module, lines);
    });
  }

  /** Asks something about the names as the last cell left them, in a file that does not change until the next one runs. */
  aboutNames<Answer>(
    question: (workspace: Workspace, lines: ReadonlyMap<string, number>) => Promise<Answer>,
  ): Promise<Answer> {
    const { text, lines } = this.history.namesFile();
    return this.ask(async (workspace) => {
      workspace.put(namesModule, text);
      this.#tellFiles(workspace, "");
      return question(workspace, lines);
    });
  }

  /** One question at a time. A server that died meanwhile is asked again, once; one that does not answer is replaced. */
  ask<Answer>(question: (workspace: Workspace) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    const once = () => this.#running().then((workspace) => this.#inTime(question(workspace)));
    const answer = this.#mutex.run(() => {
      signal?.throwIfAborted();
      return this.#inTime(this.#running())
        .then(once)
        .catch((error: unknown) => {
          if (error instanceof ServerEnded && !this.#disposed) return once();
          throw error;
        });
    });
    return signal ? unlessAborted(answer, signal) : answer;
  }

  async #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#process?.kill();
        this.#forget();
        reject(new Error(`the checker did not answer in ${this.patience / 1000} s and is started again`));
      }, this.patience);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #forget(): void {
    this.#workspace = undefined;
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#warming);
    const workspace = this.#process;
    workspace?.kill();
    await workspace?.exited;
  }

  /** Writes down types behind what is asked meanwhile. */
  #freeze(): void {
    const cells = this.#loose.splice(0);
    this.#spent = 0;
    const question = async (workspace: Workspace) => {
      await writeTypes(workspace, this.history, cells);
      await this.#putFiles(workspace);
    };
    this.ask(question).catch(() => {});
  }

  #running(): Promise<Workspace> {
    if (this.#disposed) return Promise.reject(new Error("the notebook is closed"));
    this.#workspace ??= this.#start();
    return this.#workspace;
  }

  async #start(): Promise<Workspace> {
    const workspace = new Workspace(this.cwd, this.#env);
    this.#process = workspace;
    void workspace.exited.then(() => {
      if (this.#process === workspace) this.#forget();
      // One that dies again and again is not started until it is asked for.
      if (!this.#disposed && ++this.#failures <= 3) this.warm();
    });
    await workspace.ready;
    const config = await this.#configText();
    // A document opened before the program that contains it is known costs the least.
    for (const [module, text] of this.history.files()) workspace.put(module, text);
    workspace.put(globalsModule, globalsText);
    workspace.put(namesModule, this.history.namesFile().text);
    workspace.put(configModule, config);
    for (const module of [proofModule, ...Object.values(currentModule)]) workspace.put(module, emptyText);
    return workspace;
  }

  /** The server reads a configuration again, and looks for modules anew, when its text is another. */
  async #configText(): Promise<string> {
    return (await this.#config).text + " ".repeat(this.#reloads);
  }

  /** Brings the server's files up to what the history is now, behind whatever it is asked at the moment. */
  #update(): void {
    if (!this.#workspace || this.#updating) return;
    this.#updating = true;
    this.#warmNames();
    const question = async (workspace: Workspace) => {
      this.#updating = false;
      await this.#putFiles(workspace);
    };
    this.ask(question).catch(() => {
      this.#updating = false;
    });
  }

  /** Tells the server what cells are by now. */
  async #putFiles(workspace: Workspace): Promise<void> {
    const changed = [...this.history.files()].filter(([module, text]) => !workspace.has(module, text));
    for (const [module, text] of changed) {
      workspace.put(module, text);
      await workspace.settle();
    }
  }

  #labelOf({ stem, ...where }: OwnPlace): string | undefined {
    return this.#labels.get(this.history.cellAt(stem, where) ?? -1);
  }

  #lookAtFiles(text: string): void {
    const changed = this.#sources.changed(text, this.cwd);
    if (changed.length === 0) return;
    this.#changedFiles.push(...changed);
    this.history.revision++;
  }

  #tellFiles(workspace: Workspace, text: string): void {
    this.#lookAtFiles(text);
    workspace.filesChanged("changed", this.#changedFiles.splice(0));
  }

  /** When nothing has been asked for a while: has the server work out what the first completion needs in a new program. */
  #warmNames(): void {
    clearTimeout(this.#warming);
    this.#warming = setTimeout(() => {
      const question = async (workspace: Workspace, lines: ReadonlyMap<string, number>) => {
        const [name, line] = [...lines].at(-1) ?? ["", 0];
        await workspace.complete(namesModule, { line, character: name === "" ? 0 : name.length + 1 });
      };
      if (this.#workspace) this.aboutNames(question).catch(() => {});
    }, quiet).unref();
  }

  #takeNote(): { note?: string } {
    const note = this.#notes.shift();
    return note === undefined ? {} : { note };
  }
}

/** An answer, or a rejection as soon as the signal aborts: also while the question waits behind others. */
async function unlessAborted<Answer>(answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error("interrupted"));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * What to do, where it is one line: import a name that the library exports, install a package that is not there, mend the
 * cell that would have declared the name.
 */
function suggestRemedy({ message, reasons }: TypeProblem, stopped: ReadonlyMap<string, string>): void {
  const [, name, bare] =
    /^Cannot find (?:(?:name|namespace) '([^']+)'|module '((?:@[^/']+\/)?[^./:'][^/:']*)[/'])/.exec(message) ?? [];
  if (bare === "halftone") reasons.unshift(`halftone has the modules ${kernelSubpaths().join(", ")}`);
  else if (bare !== undefined) reasons.unshift(`install it beside the notebook: ${installHint(bare)}`);
  if (name === undefined) return;
  const cell = stopped.get(name);
  if (cell !== undefined) reasons.unshift(`${cell} declares it and did not run`);
  else if (kernelExports().has(name)) reasons.unshift(`halftone exports it: import { ${name} } from "halftone"`);
}
