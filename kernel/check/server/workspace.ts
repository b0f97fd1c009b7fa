import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { globalsModule } from "../program/paths.ts";
import type { Position, ServerCompletions, ServerDiagnostic, ServerHover } from "./protocol.ts";
import { configName, type LanguageServer, startServer } from "./server.ts";

/**
 * The documents open in one language server. Unchanged documents are not sent again, and none is ever closed:
 * TypeScript 7.0.2 panics when a document is closed that was never part of a configured project.
 */
export class Workspace {
  readonly #server: LanguageServer;
  readonly #cwd: string;
  readonly #open = new Map<string, { text: string; version: number }>();
  readonly #uris = new Map<string, string>();

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#cwd = cwd;
    this.#server = startServer(cwd, env);
  }

  get ready(): Promise<void> {
    return this.#server.ready;
  }

  get exited(): Promise<void> {
    return this.#server.exited;
  }

  get pid(): number | undefined {
    return this.#server.pid;
  }

  kill(): void {
    this.#server.kill();
  }

  has(module: string, text: string): boolean {
    return this.#open.get(module)?.text === text;
  }

  put(module: string, text: string): void {
    const uri = this.uri(module);
    const before = this.#open.get(module);
    if (before?.text === text) return;
    const version = (before?.version ?? 0) + 1;
    this.#open.set(module, { text, version });
    if (before) {
      const textDocument = { uri, version };
      this.#server.rpc.notify("textDocument/didChange", { textDocument, contentChanges: [{ text }] });
    } else {
      const textDocument = { uri, languageId: languageOf(module), version, text };
      this.#server.rpc.notify("textDocument/didOpen", { textDocument });
    }
  }

  /** Tells the server that files on disk are new, or not what they were. */
  filesChanged(what: "created" | "changed", paths: Iterable<string>): void {
    const type = what === "created" ? 1 : 2;
    const changes = [...paths].map((path) => ({ uri: pathToFileURL(path).href, type }));
    if (changes.length > 0) this.#server.rpc.notify("workspace/didChangeWatchedFiles", { changes });
  }

  ask<Result>(method: string, module: string, more: object = {}): Promise<Result> {
    return this.#server.rpc.request(method, { textDocument: { uri: this.uri(module) }, ...more });
  }

  async diagnose(module: string): Promise<ServerDiagnostic[]> {
    const { items } = await this.ask<{ items?: ServerDiagnostic[] }>("textDocument/diagnostic", module);
    return items ?? [];
  }

  hover(module: string, position: Position): Promise<ServerHover | null> {
    return this.ask("textDocument/hover", module, { position });
  }

  complete(module: string, position: Position): Promise<ServerCompletions | null> {
    return this.ask("textDocument/completion", module, { position, context: { triggerKind: 1 } });
  }

  /**
   * Makes the server update its program. It replaces one changed file in its existing program, but
   * builds a new program of all files when two have changed. A request that needs no checker costs the least.
   */
  settle(): Promise<unknown> {
    return this.ask("textDocument/documentSymbol", globalsModule);
  }

  resolve<Item>(method: string, item: Item): Promise<Item> {
    return this.#server.rpc.request(method, item);
  }

  uri(module: string): string {
    let uri = this.#uris.get(module);
    if (uri === undefined) {
      uri = pathToFileURL(join(this.#cwd, module)).href;
      this.#uris.set(module, uri);
    }
    return uri;
  }
}

export const configModule = `./${configName}`;

function languageOf(module: string): string {
  if (module.endsWith(".json")) return "json";
  return module.endsWith("x") ? "typescriptreact" : "typescript";
}
