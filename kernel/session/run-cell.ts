import type { TypeCheckGate } from "../check/type-check-gate.ts";
import { type CompiledCell, compileCell } from "../compile/cell.ts";
import { isLong, offThread } from "../compile/off-thread.ts";
import { type CompilerOptions, runOptions } from "../compile/tsconfig.ts";
import type { CellImport } from "../protocol/imports.ts";
import { syntaxError } from "./cell-errors.ts";
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
}

const compilerModule = new URL("../compile/cell.js", import.meta.url).href;

/** Takes a cell from its TypeScript to its end: checks and compiles it side by side, and sends it to the host. */
export class CellRunner {
  readonly #folder: string;
  readonly #compilerOptions: CompilerOptions | undefined;
  readonly #hosts: HostLifecycle;
  readonly #gate: TypeCheckGate;
  readonly #cells: RunningCells;
  /** Imports that only types use so far. */
  readonly #deferred = new Map<string, CellImport>();
  /** How often they changed: a script compiled before that is out of date. */
  #revision = 0;

  constructor(
    { folder, compilerOptions }: { folder: string; compilerOptions: CompilerOptions | undefined },
    { hosts, gate, cells }: { hosts: HostLifecycle; gate: TypeCheckGate; cells: RunningCells },
  ) {
    this.#folder = folder;
    this.#compilerOptions = compilerOptions;
    this.#hosts = hosts;
    this.#gate = gate;
    this.#cells = cells;
  }

  async run(cell: CellToRun): Promise<CellEnd> {
    const { id, label, source, code, started, options } = cell;
    const failed = (): CellEnd => ({ status: "error", elapsed: performance.now() - started });
    let script: Script | undefined;
    if (!options.silent) {
      const mayRun = this.#check(cell);
      // While the checker reads it.
      const compiling = this.#compile(code, id);
      compiling.catch(() => {});
      if (!(await mayRun)) return failed();
      script = await compiling;
    }
    while (script?.host !== this.#hosts.current || script?.revision !== this.#revision)
      script = await this.#compile(code, id);
    const { compiled, host } = script;
    if (!compiled.ok) {
      options.onOutput(syntaxError(label, compiled.diagnostics));
      return failed();
    }
    options.onStart?.();
    host.send({ type: "execute", cell: id, label, script: compiled.script, maps: compiled.maps, source });
    // The checker learns of the cell while the host runs it: no event of the host arrives before this turn ends.
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

  async #compile(code: string, cell: number): Promise<Script> {
    const host = this.#hosts.require();
    const revision = this.#revision;
    const run = runOptions(this.#folder, this.#compilerOptions);
    const options = { cell, host: host.hostName, deferred: this.#deferred, run };
    const compiled = isLong(code)
      ? await offThread<CompiledCell>(compilerModule, "compileCell", code, options)
      : compileCell(code, options);
    return { compiled, host, revision };
  }
}
