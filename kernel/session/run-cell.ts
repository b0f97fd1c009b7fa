import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TypeCheckGate } from "../check/type-check-gate.ts";
import { type CompiledCell, compileCell } from "../compile/cell.ts";
import { isLong, offThread } from "../compile/off-thread.ts";
import { enterFunction } from "../compile/rewrite.ts";
import { type CompilerOptions, runOptions } from "../compile/tsconfig.ts";
import type { CellImport } from "../protocol/imports.ts";
import { syntaxError } from "./cell-errors.ts";
import type { CellScript } from "./debugging.ts";
import type { HostLifecycle } from "./host-lifecycle.ts";
import type { HostProcess } from "./host-process.ts";
import type { ExecuteOptions } from "./options.ts";
import type { RunningCell, RunningCells } from "./running-cells.ts";

export interface CellToRun {
  id: number;
  /** How messages call it: `cell [3]`. */
  label: string;
  /** As it was typed. */
  source: string;
  /** As TypeScript, line for line. */
  code: string;
  /** When its request came. */
  started: number;
  options: ExecuteOptions;
  /** Aborts when all cells are interrupted. */
  interrupted: AbortSignal;
}

type Named = Pick<CellToRun, "id" | "label" | "code">;

export interface CellEnd {
  status: "ok" | "error";
  /** Milliseconds. */
  elapsed: number;
}

/** A cell's script, and what it was compiled for. */
interface Script {
  compiled: CompiledCell;
  host: HostProcess;
  revision: number;
  /** Whether it stops before its first statement. */
  stops?: boolean;
}

/** Called with each cell before its script is sent, which waits for the promise, if there is one. */
type BeforeCell = (cell: CellScript, onOutput: ExecuteOptions["onOutput"]) => Promise<void> | undefined;

const compilerModule = new URL("../compile/cell.js", import.meta.url).href;

/** Takes a cell from its TypeScript to its end: checks and compiles it side by side, and sends it to the host. */
export class CellRunner {
  /** Whether the notebook was written for Deno's kernel, which shows the last value also before a semicolon. */
  isForDeno = false;
  /** Whether debuggers other than the kernel's own stop before the next cell's first statement. */
  stopsNext = false;
  readonly #folder: string;
  readonly #compilerOptions: CompilerOptions | undefined;
  readonly #inspected: boolean;
  readonly #hosts: HostLifecycle;
  readonly #gate: TypeCheckGate;
  readonly #cells: RunningCells;
  readonly #beforeCell: BeforeCell;
  /** Imports that only types use so far. */
  readonly #deferred = new Map<string, CellImport>();
  /** How often they changed: a script compiled before that is out of date. */
  #revision = 0;

  constructor(
    {
      folder,
      compilerOptions,
      inspected,
    }: { folder: string; compilerOptions: CompilerOptions | undefined; inspected: boolean },
    { hosts, gate, cells }: { hosts: HostLifecycle; gate: TypeCheckGate; cells: RunningCells },
    beforeCell: BeforeCell,
  ) {
    this.#folder = folder;
    this.#compilerOptions = compilerOptions;
    this.#inspected = inspected;
    this.#hosts = hosts;
    this.#gate = gate;
    this.#cells = cells;
    this.#beforeCell = beforeCell;
  }

  async run(cell: CellToRun): Promise<CellEnd> {
    const { id, label, source, code, started, options } = cell;
    const failed = (): CellEnd => ({ status: "error", elapsed: performance.now() - started });
    let script: Script | undefined;
    if (!options.silent) {
      const mayRun = this.#check(cell);
      // While the checker reads it.
      const compiling = this.#compile(cell, this.stopsNext);
      compiling.catch(() => {});
      if (!(await mayRun)) return failed();
      script = await compiling;
    }
    let announced: Promise<void> | undefined;
    do {
      while (!this.#isCurrent(script)) script = await this.#compile(cell, this.stopsNext && !options.silent);
      announced = this.#announce(cell, script);
      if (announced) await announced;
    } while (announced && !this.#isCurrent(script));
    const { compiled, host } = script;
    if (!compiled.ok) {
      options.onOutput(syntaxError(label, compiled.diagnostics));
      return failed();
    }
    const { script: text, maps } = compiled;
    const front = { key: options.cellKey, attended: options.onInput !== undefined };
    host.send({ type: "execute", cell: id, label, ...front, script: text, maps, source });
    if (script.stops) this.stopsNext = false;
    // These read the cell while the host runs it: no event of the host arrives before this turn ends.
    options.onStart?.();
    const pastCell = this.#gate.begin(code, { key: options.cellKey, label });
    if (compiled.declared.size > 0 || compiled.deferred.size > 0) this.#revision++;
    for (const name of compiled.declared) this.#deferred.delete(name);
    for (const [name, each] of compiled.deferred) this.#deferred.set(name, each);
    return new Promise((resolve) => {
      const onAbort = () => this.#hosts.interrupt([id]);
      const running: RunningCell = {
        id,
        size: source.length,
        onOutput: options.onOutput,
        onInput: options.onInput,
        onComm: options.onComm,
        started,
        settle: (status, elapsed) => {
          running.settle = undefined;
          this.#cells.markEnded(running);
          this.#gate.end(pastCell, status === "ok");
          options.signal?.removeEventListener("abort", onAbort);
          resolve({ status, elapsed });
        },
      };
      this.#cells.add(running);
      options.signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** The script of a cell that may run later; undefined when it has syntax errors. */
  async preview(cell: Named): Promise<string | undefined> {
    const { compiled } = await this.#compile(cell);
    return compiled.ok ? compiled.script : undefined;
  }

  /** These imports found no value: a later cell that uses one as a value loads it again. */
  defer(imports: readonly CellImport[]): void {
    this.#revision++;
    for (const each of imports) this.#deferred.set(each.names[0]!.local, each);
  }

  /** The host, and with it all that cells imported, is gone. */
  reset(): void {
    this.#deferred.clear();
    this.#revision++;
  }

  #check({ label, source, code, options, interrupted }: CellToRun): Promise<boolean> {
    const signal = options.signal ? AbortSignal.any([options.signal, interrupted]) : interrupted;
    return this.#gate.check({ key: options.cellKey, label, code, source, signal, onOutput: options.onOutput });
  }

  #isCurrent(script: Script | undefined): script is Script {
    return script?.host === this.#hosts.current && script?.revision === this.#revision;
  }

  /** Shows the script to the debugger, if there is one; the cell waits for the promise. */
  #announce({ id, label, source, code, options }: CellToRun, { compiled, host }: Script): Promise<void> | undefined {
    if (!compiled.ok) return undefined;
    const { script, maps } = compiled;
    return this.#beforeCell({ id, label, source, code, script, maps, host: host.hostName }, options.onOutput);
  }

  async #compile({ id, label, code }: Named, stopsFirst = false): Promise<Script> {
    const host = this.#hosts.require();
    const revision = this.#revision;
    const run = runOptions(this.#folder, this.#compilerOptions);
    const options = {
      cell: id,
      host: host.hostName,
      deferred: this.#deferred,
      run,
      showsBeforeSemicolon: this.isForDeno,
      inOneFunction: this.#inspected,
    };
    const compiled = isLong(code)
      ? await offThread<CompiledCell>(compilerModule, "compileCell", code, options)
      : compileCell(code, options);
    if (!this.#inspected || !compiled.ok) return { compiled, host, revision };
    // Imported here, because only `halftone run --inspect` needs it.
    const { withInlineMap } = await import("../compile/inline-map.ts");
    const stopsAfter = stopsFirst ? enterFunction(options) : undefined;
    // A path, because clients show other names of sources cut.
    const name = pathToFileURL(join(this.#folder, `${label}.ts`)).href;
    const { script, stops } = withInlineMap({ ...compiled, name, source: code, stopsAfter });
    return { compiled: { ...compiled, script }, host, revision, stops };
  }
}
