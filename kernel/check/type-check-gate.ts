import { isLong } from "../compile/off-thread.ts";
import type { CompilerOptions } from "../compile/tsconfig.ts";
import type { Introspector } from "../protocol/inspection.ts";
import { errorOutput, type Output, textOutput } from "../protocol/output.ts";
import { Checker, type CheckerOptions } from "./checker.ts";
import { Completer } from "./complete/complete.ts";
import { inspect, type Live } from "./complete/inspect.ts";
import type { PastCell } from "./program/program.ts";
import { isTypeErrorPolicy, type TypeErrorPolicy, typeErrorPolicy } from "./report/policy.ts";
import { describeProblems, summarize } from "./report/show.ts";
import { importsTslab, tslabOptions } from "./report/tslab.ts";
import { withTimeout } from "./server/with-timeout.ts";

export interface GateOptions extends CheckerOptions {
  /** Default: `HALFTONE_TYPES` of the environment, else "error". */
  policy?: TypeErrorPolicy;
}

export interface CellToCheck {
  /** The cell as TypeScript, line for line. */
  code: string;
  /** The cell as it was typed. */
  source: string;
  label: string;
  key?: string | undefined;
  signal?: AbortSignal | undefined;
  onOutput: (output: Output) => void;
}

/** Decides whether a cell may run: asks the checker and shows what it found. */
export class TypeCheckGate implements AsyncDisposable {
  readonly checker: Checker;
  policy: TypeErrorPolicy;
  #lastNote: string | undefined;
  readonly #compilerOptions: CompilerOptions | undefined;
  #isForTslab = false;
  /** Whether someone has set the policy. */
  #isChosen: boolean;
  /** Milliseconds that a question about a name waits; after that the program's own values answer it. */
  readonly #patience: number;

  constructor({ policy, ...options }: GateOptions) {
    this.checker = new Checker(options);
    this.#compilerOptions = options.compilerOptions;
    this.#patience = 0.3 * this.checker.patience;
    this.#isChosen = policy !== undefined || (options.env ?? process.env).HALFTONE_TYPES !== undefined;
    const environment = typeErrorPolicy(options.env ?? process.env);
    this.policy = policy ?? environment.policy;
    if (policy === undefined && environment.problem !== undefined) this.checker.note(environment.problem);
  }

  /** Starts the checker, unless types are not checked. */
  warm(): void {
    if (this.policy !== "off") this.checker.warm();
  }

  /** `%types` shows the policy; `%types warn` sets it. */
  magic(argument: string, onOutput: (output: Output) => void): void {
    if (isTypeErrorPolicy(argument)) this.policy = argument;
    this.#isChosen = true;
    const refusal =
      isTypeErrorPolicy(argument) || argument === "" ? "" : `%types expects error, warn or off, got ${argument}. `;
    onOutput(textOutput(`${refusal}%types is ${this.policy}: ${meanings[this.policy]}`));
  }

  /** A cell uses Deno, which does not check types. From now on types are not checked here either, unless someone has set the policy. */
  startDeno(onOutput: (output: Output) => void): void {
    if (this.#isChosen) return;
    this.#isChosen = true;
    this.policy = "off";
    onOutput(
      textOutput(
        "halftone: types are not checked, as in Deno, because this notebook uses Deno; %types error checks them",
      ),
    );
  }

  /** Whether the cell may run. */
  async check({ code, source, label, key, signal, onOutput }: CellToCheck): Promise<boolean> {
    if (this.policy === "off") {
      if (isLong(code)) await this.checker.read(code);
      return true;
    }
    if (!this.#isForTslab && importsTslab.test(code)) {
      this.#isForTslab = true;
      this.checker.configure({ ...tslabOptions, ...this.#compilerOptions });
    }
    const { problems, note } = await this.checker.check(code, { key, label, ...(signal ? { signal } : {}) });
    if (signal?.aborted) {
      onOutput(errorOutput("KeyboardInterrupt", "the cell was interrupted before it ran"));
      return false;
    }
    // A note that each cell would repeat is shown once.
    if (note !== undefined && note !== this.#lastNote) onOutput(textOutput(`halftone: ${note}`));
    this.#lastNote = note;
    const errors = problems.filter((each) => each.severity === "error");
    if (errors.length > 0 && this.policy === "error") {
      const traceback = [...describeProblems(errors, source, label), "", "The cell did not run."];
      onOutput({ type: "error", ename: "TypeScriptError", evalue: summarize(errors, label), traceback });
      return false;
    }
    if (problems.length > 0) onOutput(textOutput(describeProblems(problems, source, label).join("\n")));
    return true;
  }

  /** Completes and inspects names. `live` describes values of the running program. */
  introspector(live: Live): Introspector {
    const completer = new Completer(this.checker);
    return {
      complete: (code, cursor) => withTimeout(this.#patience, completer.complete(code, cursor)),
      inspect: (code, cursor, detail) => withTimeout(this.#patience, inspect(this.checker, live, code, cursor, detail)),
    };
  }

  begin(code: string, name: { key?: string | undefined; label: string }): PastCell | undefined {
    return this.checker.begin(code, name);
  }

  end(cell: PastCell | undefined, ok: boolean): void {
    this.checker.end(cell, ok);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.checker[Symbol.asyncDispose]();
  }
}

const meanings: Record<TypeErrorPolicy, string> = {
  error: "a cell with type errors does not run",
  warn: "type errors are shown, and the cell runs",
  off: "types are not checked",
};
