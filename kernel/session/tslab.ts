import type { Checker } from "../check/checker.ts";
import { type CompilerOptions, readConfig } from "../check/config.ts";
import { configModule } from "../check/workspace.ts";

const importsTslab = /\b(?:from|import|require\()\s*["']tslab["']/;

/** What tslab checks by, whatever a tsconfig.json says: it reads none. */
const loose: CompilerOptions = { strict: false, noImplicitAny: false, strictNullChecks: false };

/** tslab checks without `strict`, and notebooks rely on that: from its import of tslab on, a notebook is checked so here too. */
export class TslabRules {
  readonly #own: CompilerOptions;
  #config: Promise<string> | undefined;

  constructor(own: CompilerOptions = {}) {
    this.#own = own;
  }

  /** Whether the notebook imports tslab, with this cell or an earlier one. */
  applyTo(code: string, cwd: string): boolean {
    if (!this.#config && importsTslab.test(code)) {
      this.#config = readConfig(cwd, { ...loose, ...this.#own }).then(({ text }) => text);
    }
    return this.#config !== undefined;
  }

  /** Says so to the checker, whose server may be another one each time. */
  async tell(checker: Checker): Promise<void> {
    const text = await this.#config;
    if (text === undefined) return;
    // One that does not answer says why in the check that follows.
    await checker.ask(async (workspace) => workspace.put(configModule, text)).catch(() => {});
  }
}
