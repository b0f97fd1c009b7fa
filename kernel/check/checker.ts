import type { CompilerOptions } from "../compile/tsconfig.ts";
import { ownPackagesFolder } from "../protocol/own-packages.ts";
import { parsePartial } from "./complete/parse-partial.ts";
import { CellLabels } from "./labels.ts";
import { Analyses } from "./program/analysis.ts";
import { emptyText } from "./program/cell-files.ts";
import { type Config, readConfig } from "./program/config.ts";
import { globalsText } from "./program/globals.ts";
import { candidates, missingModules } from "./program/missing.ts";
import type { PackagePlaces } from "./program/packages.ts";
import { currentModule, globalsModule, namesModule, proofModule } from "./program/paths.ts";
import { type PastCell, Program } from "./program/program.ts";
import { Sources } from "./program/sources.ts";
import { ProgramSync } from "./program-sync.ts";
import { suggestOptions } from "./report/layer-options.ts";
import { type CellLocation, readProblems, type TypeProblem } from "./report/problem.ts";
import { suggestRemedy } from "./report/remedy.ts";
import type { ServerDiagnostic } from "./server/protocol.ts";
import { Supervisor } from "./server/supervisor.ts";
import { configModule, type Workspace } from "./server/workspace.ts";
import { completeLastName, WarmUp } from "./warm-up.ts";

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

/** The result of checking a cell. */
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

/**
 * One notebook's types. Each cell is checked against those that ran before, by the native TypeScript language server, which
 * starts in the background and never keeps a cell from running.
 */
export class Checker implements AsyncDisposable {
  readonly cwd: string;
  readonly patience: number;
  readonly program = new Program();
  readonly #places: PackagePlaces;
  #compilerOptions: CompilerOptions | undefined;
  #config: Promise<Config>;
  /** How often the server had to look for modules again. */
  #reloads = 0;
  readonly #server: Supervisor;
  readonly #sync: ProgramSync;
  readonly #warmUp: WarmUp;
  readonly #analyses = new Analyses();
  readonly #labels = new CellLabels();
  readonly #sources = new Sources();
  readonly #notes: string[] = [];

  constructor(options: CheckerOptions) {
    const { cwd, packages, env = process.env, compilerOptions, patience = 10_000, freezeAfter = 250 } = options;
    this.cwd = cwd;
    this.patience = patience;
    this.#compilerOptions = compilerOptions;
    this.#places = { packages, own: ownPackagesFolder(cwd, env) };
    this.#config = readConfig(cwd, compilerOptions, this.#places);
    this.#config.then(({ problem }) => problem !== undefined && this.note(problem)).catch(() => {});
    this.#server = new Supervisor({ cwd, env, patience, open: (workspace) => this.#open(workspace) });
    this.#sync = new ProgramSync(this.program, this.#server, freezeAfter);
    this.#warmUp = new WarmUp(() => {
      if (this.#server.isStarted) this.aboutNames(completeLastName).catch(() => {});
    });
  }

  /** Starts the server, if it does not run: the first question then waits less. */
  warm(): void {
    this.#server.start();
  }

  /** Changes the compiler options. */
  configure(compilerOptions: CompilerOptions): void {
    this.#compilerOptions = compilerOptions;
    this.#config = readConfig(this.cwd, compilerOptions, this.#places);
  }

  /** Packages were installed for the notebook: their types are looked for again. */
  packagesChanged(): void {
    this.#reloads++;
    this.#config = readConfig(this.cwd, this.#compilerOptions, this.#places);
  }

  /** Adds a note, which is shown with the next checked cell. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Changes whenever the known names of the notebook may have changed. */
  get revision(): number {
    this.#lookAtFiles("");
    return this.program.revision;
  }

  /** The server's process id, while it has one. */
  get pid(): number | undefined {
    return this.#server.pid;
  }

  /** Reads a cell that is not to be checked, so that `begin` knows it. */
  async read(source: string): Promise<void> {
    await this.#analyses.read(source).catch(() => {});
  }

  /** Type errors of a cell that is about to run. Syntax errors are left to the compiler. */
  async check(source: string, { key, label, signal }: CellName & { signal?: AbortSignal } = {}): Promise<Verdict> {
    let started = performance.now();
    try {
      const analysis = await this.#analyses.read(source);
      if (!analysis || (analysis.trivial && !this.program.names.get("console"))) return { problems: [] };
      const { facts, language } = analysis;
      if (language === "tsx") for (const name of (await this.#config).jsxVariables) facts.used.add(name);
      const module = currentModule[language];
      const { text, lines } = this.program.current(analysis.text, facts);
      const items = await this.ask(async (workspace) => {
        started = performance.now();
        const hidden = this.program.augmentedBy(facts, key);
        for (const each of hidden) workspace.put(...this.program.withoutAugmentations(each));
        workspace.put(module, text);
        workspace.put(configModule, await this.#configText());
        this.#tellFiles(workspace, text);
        return this.#diagnose(workspace, module);
      }, signal);
      this.#sync.addCheckTime(performance.now() - started);
      this.#warmUp.postpone();
      const count = analysis.text.split("\n").length;
      const problems = readProblems(items, { lines, count, labels: (place) => this.#labelOf(place) });
      const isImport = (name: string) =>
        (facts.declared.get(name)?.kind ?? this.program.names.get(name)?.value?.kind) === "import";
      for (const problem of problems) {
        suggestRemedy(problem, (name) => this.#labels.whyNotRun(name));
        suggestOptions(problem, analysis.text, isImport);
      }
      if (problems.some(({ severity }) => severity === "error")) this.#labels.refuse(facts, label);
      return { problems, ...this.#takeNote() };
    } catch (error) {
      return { problems: [], note: `types were not checked: ${(error as Error).message}` };
    }
  }

  /** The cell begins to run: from now on its names have the types that it gives them. */
  begin(source: string, { key, label }: CellName = {}): PastCell | undefined {
    const analysis = this.#analyses.known(source);
    if (!analysis) return undefined;
    const cell = this.program.begin(analysis.text, analysis.facts, analysis.language === "tsx", key);
    this.#labels.begin(cell.id, cell.facts, label);
    this.#sync.begin(cell);
    this.#warmUp.postpone();
    return cell;
  }

  /** The cell ended. The types that it narrowed hold only if it ran to its end. */
  end(cell: PastCell | undefined, ok: boolean): void {
    if (!cell || !ok) return;
    this.#labels.finish(cell.id, cell.facts);
    if (cell.facts.touched.size === 0) return;
    this.program.succeed(cell);
    this.#sync.update();
    this.#warmUp.postpone();
  }

  /** Why a name that a cell declares has no value, as a sentence. */
  whyUndefined(name: string): string | undefined {
    return this.#labels.whyUndefined(name);
  }

  /** The program's variables are lost: so are their types. */
  reset(): void {
    this.program.clear();
    this.#labels.clear();
    this.#sync.reset();
    this.#warmUp.postpone();
  }

  /** Sends the server a cell's text, as far as it parses, with `more` names, and asks something about it. */
  async about<Answer>(
    source: string,
    more: readonly string[],
    question: (workspace: Workspace, module: string, lines: number) => Promise<Answer>,
  ): Promise<Answer> {
    const { text: cell, facts, tsx } = parsePartial(source);
    const module = tsx ? currentModule.tsx : currentModule.ts;
    const { text, lines } = this.program.current(cell, facts, more);
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
    const { text, lines } = this.program.namesFile();
    return this.ask(async (workspace) => {
      workspace.put(namesModule, text);
      this.#tellFiles(workspace, "");
      return question(workspace, lines);
    });
  }

  /** Asks the server something. Questions are answered one at a time. */
  ask<Answer>(question: (workspace: Workspace) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    return this.#server.ask(question, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#warmUp[Symbol.dispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  /** Modules that were not found are looked for again, if they are there by now. */
  async #diagnose(workspace: Workspace, module: string): Promise<ServerDiagnostic[]> {
    const items = await workspace.diagnose(module);
    const paths = candidates(this.cwd, missingModules(items));
    if (paths.length === 0) return items;
    workspace.filesChanged("created", paths);
    this.#reloads++;
    workspace.put(configModule, await this.#configText());
    return workspace.diagnose(module);
  }

  async #open(workspace: Workspace): Promise<void> {
    const config = await this.#configText();
    // A document opened before the program that contains it is known costs the least.
    for (const [module, text] of this.program.files()) workspace.put(module, text);
    workspace.put(globalsModule, globalsText);
    workspace.put(namesModule, this.program.namesFile().text);
    workspace.put(configModule, config);
    for (const module of [proofModule, ...Object.values(currentModule)]) workspace.put(module, emptyText);
  }

  /** The server reads a configuration and looks for modules again when its text has changed. */
  async #configText(): Promise<string> {
    return (await this.#config).text + " ".repeat(this.#reloads);
  }

  #labelOf({ stem, ...where }: CellLocation): string | undefined {
    return this.#labels.of(this.program.cellAt(stem, where));
  }

  #lookAtFiles(text: string): void {
    if (this.#sources.look(text, this.cwd)) this.program.revision++;
  }

  #tellFiles(workspace: Workspace, text: string): void {
    this.#lookAtFiles(text);
    workspace.filesChanged("changed", this.#sources.takeChanged());
  }

  #takeNote(): { note?: string } {
    const note = this.#notes.shift();
    return note === undefined ? {} : { note };
  }
}
