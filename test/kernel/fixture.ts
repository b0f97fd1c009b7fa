import { after, afterEach } from "node:test";
import type { CellOutcome, CommMessage, MimeBundle, Output } from "../../kernel/protocol/output.ts";
import type { ExecuteOptions, SessionOptions } from "../../kernel/session/options.ts";
import { Session } from "../../kernel/session/session.ts";

type Heard = Output | { type: "comm"; message: CommMessage };
type OutputOf<T extends Heard["type"]> = Extract<Heard, { type: T }>;

/** Milliseconds that a test waits for an output. */
const patience = 60_000;

/**
 * What a cell said. A test names what it expects by reading it here: whatever no one has read when the test ends fails it
 * (the habit of posit-dev/ark, crates/ark_test/src/dummy_frontend.rs).
 */
export class Ran {
  readonly code: string;
  /** Set once the cell has ended. */
  outcome!: CellOutcome;
  /** Once the cell has ended. */
  ended!: Promise<Ran>;
  readonly #heard: Heard[] = [];
  readonly #named = new Set<Heard>();
  #changed: () => void = () => {};

  constructor(code: string) {
    this.code = code;
  }

  /** The whole of stdout so far. */
  get stdout(): string {
    return this.#stream("stdout");
  }

  get stderr(): string {
    return this.#stream("stderr");
  }

  /** The last expression's value. */
  get result(): MimeBundle | undefined {
    return this.#first("result")?.data;
  }

  /** The last expression's value as text. */
  get text(): string | undefined {
    return this.result?.["text/plain"] as string | undefined;
  }

  get error(): OutputOf<"error"> | undefined {
    return this.#first("error");
  }

  /** All outputs so far; what comes later has to be named for itself. */
  get outputs(): Output[] {
    return this.#name(this.#heard.filter((each) => each.type !== "comm"));
  }

  /** All that the cell sent on its comms so far. */
  get comms(): CommMessage[] {
    return this.#name(this.#heard.filter((each) => each.type === "comm")).map(({ message }) => message);
  }

  /** The next output that no one has read yet, which must be of this type; waits for it. */
  async next<T extends Heard["type"]>(type: T): Promise<OutputOf<T>> {
    const find = (): Heard | undefined => this.#heard.find((each) => !this.#named.has(each));
    const found = await this.#until(find, `an output of type ${type}`);
    if (found.type !== type) throw new Error(`expected ${type} next, got ${JSON.stringify(found).slice(0, 500)}`);
    this.#named.add(found);
    return found as OutputOf<T>;
  }

  /** Waits until stdout is this text and nothing else. */
  async prints(expected: string): Promise<void> {
    await this.#until(() => {
      const { stdout } = this;
      if (!expected.startsWith(stdout)) throw new Error(`expected stdout ${expected}, got ${stdout.slice(0, 500)}`);
      return stdout === expected || undefined;
    }, `stdout ${expected}`);
  }

  hear(heard: Heard): void {
    this.#heard.push(heard);
    this.#changed();
  }

  /** What no test has named. Asked once. */
  unnamed(): Heard[] {
    const unnamed = this.#heard.filter((each) => !this.#named.has(each));
    this.#name(unnamed);
    return unnamed;
  }

  #stream(name: "stdout" | "stderr"): string {
    const streams = this.#heard.filter((each) => each.type === "stream" && each.name === name);
    return this.#name(streams as OutputOf<"stream">[])
      .map(({ text }) => text)
      .join("");
  }

  #first<T extends Heard["type"]>(type: T): OutputOf<T> | undefined {
    const found = this.#heard.find((each) => each.type === type) as OutputOf<T> | undefined;
    if (found) this.#named.add(found);
    return found;
  }

  #name<T extends Heard>(heard: T[]): T[] {
    for (const each of heard) this.#named.add(each);
    return heard;
  }

  #until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what} of ${this.code}`)), patience);
      this.#changed = () => {
        try {
          const found = look();
          if (found === undefined) return;
          resolve(found);
        } catch (error) {
          reject(error);
        }
        clearTimeout(timer);
        this.#changed = () => {};
      };
      this.#changed();
    });
  }
}

export interface Notebook {
  session: Session;
  run(code: string, options?: Partial<ExecuteOptions>): Promise<Ran>;
  /** For what happens while the cell runs. */
  start(code: string, options?: Partial<ExecuteOptions>): Ran;
}

/** These cells are about running; test/check has those about types. */
export const untyped = { types: { policy: "off" } } as const;

/** A session that ends with the test file. What runs is asked here; types are checked where a test says so. */
export function openNotebook(options: Partial<SessionOptions> = {}): Notebook {
  const session = Session.start({ cwd: process.cwd(), ...untyped, ...options });
  const outsideCells = new Ran("no cell");
  all.push(outsideCells);
  session.onComm = (message) => outsideCells.hear({ type: "comm", message });
  after(() => session[Symbol.asyncDispose]());
  const start = (code: string, given?: Partial<ExecuteOptions>): Ran => startIn(session, code, given);
  return { session, start, run: (code, given) => start(code, given).ended };
}

export function runIn(session: Session, code: string, options?: Partial<ExecuteOptions>): Promise<Ran> {
  return startIn(session, code, options).ended;
}

export function startIn(session: Session, code: string, options: Partial<ExecuteOptions> = {}): Ran {
  const ran = new Ran(code);
  all.push(ran);
  const outcome = session.execute(code, {
    onComm: (message) => ran.hear({ type: "comm", message }),
    ...options,
    onOutput: (output) => {
      ran.hear(output);
      options.onOutput?.(output);
    },
  });
  ran.ended = outcome.then((how) => Object.assign(ran, { outcome: how }));
  return ran;
}

/** Every cell of the file's tests. */
const all: Ran[] = [];

/** What comes late is found at the end of the test that runs then, or at the end of the file. */
function nothingUnnamed(): void {
  const found = all.flatMap((ran) => ran.unnamed().map((heard) => `${JSON.stringify(heard)}\n  of: ${ran.code}`));
  if (found.length === 0) return;
  const shown = found.slice(0, 5).map((text) => text.slice(0, 2000));
  throw new Error(`${found.length} outputs that the test does not name:\n${shown.join("\n")}`);
}
afterEach(nothingUnnamed);
after(nothingUnnamed);

/** Asks again until it is so. */
export async function until(condition: () => boolean, what: string, deadline = 10_000): Promise<void> {
  const end = Date.now() + deadline;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${deadline} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
