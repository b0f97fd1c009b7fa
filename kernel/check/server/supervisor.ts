import { Mutex } from "./mutex.ts";
import { ServerEnded } from "./server.ts";
import { Workspace } from "./workspace.ts";

export interface SupervisorOptions {
  /** The notebook's folder. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Milliseconds that a question waits for its answer. */
  patience: number;
  /** Opens the notebook's documents in a new server. */
  open(workspace: Workspace): Promise<void>;
}

/** How often a server that ended by itself is started again in advance. */
const mostRestarts = 3;

/** Keeps a language server running: starts it, asks it one question at a time, replaces it when it dies or hangs. */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #mutex = new Mutex();
  #ready: Promise<Workspace> | undefined;
  #workspace: Workspace | undefined;
  #failures = 0;
  #disposed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** The server's process id, while it has one. */
  get pid(): number | undefined {
    return this.#workspace?.pid;
  }

  get isStarted(): boolean {
    return this.#ready !== undefined;
  }

  /** Starts the server, if it does not run. */
  start(): void {
    this.#running().catch(() => {});
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const workspace = this.#workspace;
    workspace?.kill();
    await workspace?.exited;
  }

  async #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const { patience } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#workspace?.kill();
        this.#forget();
        reject(new Error(`the type checker did not answer within ${patience / 1000} s. It is restarted`));
      }, patience);
    });
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #running(): Promise<Workspace> {
    if (this.#disposed) return Promise.reject(new Error("the notebook is closed"));
    this.#ready ??= this.#start();
    return this.#ready;
  }

  async #start(): Promise<Workspace> {
    const workspace = new Workspace(this.#options.cwd, this.#options.env);
    this.#workspace = workspace;
    void workspace.exited.then(() => {
      if (this.#workspace === workspace) this.#forget();
      // One that ends again and again is not started until it is asked.
      if (!this.#disposed && ++this.#failures <= mostRestarts) this.start();
    });
    await workspace.ready;
    await this.#options.open(workspace);
    return workspace;
  }

  #forget(): void {
    this.#ready = undefined;
    this.#workspace = undefined;
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
