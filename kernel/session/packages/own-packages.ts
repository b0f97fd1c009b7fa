import { randomUUID } from "node:crypto";
import type { PackageRequest } from "../../magics/packages.ts";
import { errorOutput, type Output, textOutput } from "../../protocol/output.ts";

type OnOutput = (output: Output) => void;

/** Installs the packages that cells ask for, and shows it in them. */
export class OwnPackages {
  /** The notebook's own folder. */
  readonly #folder: string;
  /** A lock's packages, beside which nothing is installed. */
  readonly #locked: string | undefined;
  readonly #env: NodeJS.ProcessEnv;
  readonly #onInstalled: () => void;

  constructor(folder: string, locked: string | undefined, env: NodeJS.ProcessEnv, onInstalled: () => void) {
    this.#folder = folder;
    this.#locked = locked;
    this.#env = env;
    this.#onInstalled = onInstalled;
  }

  /** Installs what a cell asks for. False when that is not possible, or the signal aborts, and the cell shows why. */
  async install(request: PackageRequest, onOutput: OnOutput, signal: AbortSignal): Promise<boolean> {
    const folder = this.#folder;
    // Imported here, because most notebooks install nothing.
    const { installPackages, lockedPackages, unscripted, versionIn } = await import("./install.ts");
    const line = new ProgressLine(onOutput);
    const state = () => ({
      versions: new Map(request.packages.map(({ name }) => [name, versionIn(folder, name)])),
      unscripted: unscripted(folder),
    });
    // Undefined while nothing is installed.
    let before: ReturnType<typeof state> | undefined;
    try {
      const onProgress = (text: string) => {
        before ??= state();
        line.show(text);
      };
      const installed =
        this.#locked === undefined
          ? await installPackages(request, { folder, env: this.#env, signal, onProgress })
          : lockedPackages(request, this.#locked);
      const versions = installed.map(({ name, version }) => `${name} ${version}`).join(", ");
      if (line.isShown) this.#onInstalled();
      if (request.byMagic) line.end(versions);
      // What an import installs is shown while it does: a cell has the same outputs when it runs again.
      else if (line.isShown) onOutput({ type: "clear", wait: false });
      if (!before) return true;
      for (const { name, version } of installed) {
        const old = before.versions.get(name);
        if (old !== undefined && old !== version) onOutput(textOutput(replacedSentence(name, old, version)));
      }
      const known = [...request.scripts, ...before.unscripted];
      const waiting = unscripted(folder).filter((name) => !known.includes(name));
      if (waiting.length > 0) onOutput(textOutput(scriptsSentence(waiting)));
      return true;
    } catch (error) {
      if (line.isShown) onOutput({ type: "clear", wait: false });
      onOutput(signal.aborted ? interrupted : failure(error));
      return false;
    }
  }
}

/** Milliseconds between two states of the line. */
const interval = 200;

/** One line of a cell's output that changes. */
class ProgressLine {
  readonly #onOutput: OnOutput;
  readonly #displayId = randomUUID();
  #last = 0;
  isShown = false;

  constructor(onOutput: OnOutput) {
    this.#onOutput = onOutput;
  }

  show(text: string): void {
    const now = performance.now();
    if (this.isShown && now - this.#last < interval) return;
    this.#last = now;
    this.#send(text);
  }

  end(text: string): void {
    this.#send(text);
  }

  #send(text: string): void {
    const type = this.isShown ? "update" : "display";
    this.isShown = true;
    this.#onOutput({ type, data: { "text/plain": text }, metadata: {}, displayId: this.#displayId });
  }
}

const replacedSentence = (name: string, old: string, version: string): string =>
  `${name} ${version} took the place of ${old}, which stays in memory, where a cell has loaded it, until the program restarts`;

function scriptsSentence(names: readonly string[]): string {
  const list = names.join(", ");
  const [are, they] =
    names.length === 1 ? ["has an install script, which", "it does"] : ["have install scripts, which", "they do"];
  return `${list} ${are} did not run. If ${they} not work without: %install --scripts ${names.join(",")} ${names.join(" ")}`;
}

const interrupted = errorOutput(
  "KeyboardInterrupt",
  "interrupted while packages were installed; nothing was installed",
);

function failure(error: unknown): Output {
  return error instanceof Error ? errorOutput(error.name, error.message) : errorOutput("Error", String(error));
}
