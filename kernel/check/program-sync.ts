import { inferred } from "./program/materialize-types.ts";
import type { PastCell, Program } from "./program/program.ts";
import { writeTypes } from "./program/type-printing.ts";
import type { Supervisor } from "./server/supervisor.ts";
import type { Workspace } from "./server/workspace.ts";

/** Keeps the server's files up with the program of the notebook, and writes down inferred types where checks take long. */
export class ProgramSync {
  readonly #program: Program;
  readonly #server: Supervisor;
  readonly #freezeAfter: number;
  /** Cells whose variables' types are inferred anew at each check. */
  #unfrozen: PastCell[] = [];
  /** Milliseconds that checks took since there are any. */
  #checkTime = 0;
  /** An update waits, which will send the program as it is then. */
  #updating = false;

  /** `freezeAfter`: milliseconds of checks after which inferred types are written down. */
  constructor(program: Program, server: Supervisor, freezeAfter: number) {
    this.#program = program;
    this.#server = server;
    this.#freezeAfter = freezeAfter;
  }

  /** A check took this long. */
  addCheckTime(milliseconds: number): void {
    this.#checkTime += milliseconds;
  }

  /** The program has a new cell. */
  begin(cell: PastCell): void {
    if (inferred(cell.facts).length > 0) this.#unfrozen.push(cell);
    this.update();
    if (this.#unfrozen.length > 0 && this.#checkTime >= this.#freezeAfter) this.#freeze();
  }

  /** The program is empty again. */
  reset(): void {
    this.#unfrozen = [];
    this.update();
  }

  /** Sends the server what changed, after the questions that wait. */
  update(): void {
    if (!this.#server.isStarted || this.#updating) return;
    this.#updating = true;
    const send = async (workspace: Workspace) => {
      this.#updating = false;
      await this.#putFiles(workspace);
    };
    this.#server.ask(send).catch(() => {
      this.#updating = false;
    });
  }

  /** Writes inferred types down, after the questions that wait. */
  #freeze(): void {
    const cells = this.#unfrozen.splice(0);
    this.#checkTime = 0;
    const write = async (workspace: Workspace) => {
      await writeTypes(workspace, this.#program, cells);
      await this.#putFiles(workspace);
    };
    this.#server.ask(write).catch(() => {});
  }

  async #putFiles(workspace: Workspace): Promise<void> {
    const changed = [...this.#program.files()].filter(([module, text]) => !workspace.has(module, text));
    for (const [module, text] of changed) {
      workspace.put(module, text);
      await workspace.settle();
    }
  }
}
