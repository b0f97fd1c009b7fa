import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { connect, type Rpc } from "./rpc.ts";

/** A process of the native TypeScript language server. */
export interface LanguageServer {
  readonly pid: number | undefined;
  readonly rpc: Rpc;
  /** Resolves when it answered to `initialize`; rejects when it could not start. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  kill(): void;
}

/** Rejects the requests that were open when the server ended. */
export class ServerEnded extends Error {
  override name = "ServerEnded";
}

/** The configuration file that the server looks for beside a document, in place of `tsconfig.json`. */
export const configName = ".halftone-tsconfig.json";

/** What the server asks for as `js/ts` settings. Keys are those of typescript-go's user preferences. */
const settings = {
  unstable: { customConfigFileName: configName },
  tsserver: { automaticTypeAcquisition: { enabled: false } },
  suggest: { autoImports: false, completeFunctionCalls: false },
  validate: { enabled: true },
};

const capabilities = {
  general: { positionEncodings: ["utf-16"] },
  textDocument: {
    diagnostic: {},
    hover: { contentFormat: ["markdown"] },
    completion: { completionItem: { documentationFormat: ["markdown"], snippetSupport: false } },
    signatureHelp: { signatureInformation: { documentationFormat: ["markdown"], activeParameterSupport: true } },
  },
  workspace: { configuration: true },
};

/** The native executable itself: the package's own launcher is a Node script that would start it. */
export function executablePath(): string {
  const fromTypescript = createRequire(createRequire(import.meta.url).resolve("typescript/package.json"));
  const platform = fromTypescript.resolve(`@typescript/typescript-${process.platform}-${process.arch}/package.json`);
  return join(dirname(platform), "lib", process.platform === "win32" ? "tsc.exe" : "tsc");
}

export function startServer(cwd: string, env: NodeJS.ProcessEnv): LanguageServer {
  const child: ChildProcess = spawn(executablePath(), ["--lsp", "--stdio"], {
    cwd,
    // A program and its checkers fill the heap again after each collection: collect half as often.
    env: { GOGC: "200", ...env },
    stdio: ["pipe", "pipe", "ignore"],
    windowsHide: true,
    // A terminal's Ctrl-C is meant for cells. The server ends when its input does.
    detached: process.platform !== "win32",
  });
  child.stdin!.on("error", () => {});
  const answer = (method: string, params: unknown): unknown => {
    if (method !== "workspace/configuration") return null;
    const { items } = params as { items: { section?: string }[] };
    return items.map(({ section }) => (section === "js/ts" ? settings : null));
  };
  const rpc = connect(child.stdout!, child.stdin!, answer, () => child.kill("SIGKILL"));
  const exited = new Promise<void>((resolve) => {
    const ended = (why: string) => {
      rpc.close(new ServerEnded(why));
      resolve();
    };
    child.once("error", (error) => ended(`the language server did not start: ${error.message}`));
    child.once("exit", (code, signal) => ended(`the language server ended (${signal ?? `exit code ${code}`})`));
  });
  const rootUri = pathToFileURL(cwd).href;
  const ready = rpc
    .request("initialize", {
      processId: process.pid,
      rootUri,
      capabilities,
      initializationOptions: { disablePushDiagnostics: true, logVerbosity: 0 },
    })
    .then(() => rpc.notify("initialized", {}));
  ready.catch(() => {});
  return { pid: child.pid, rpc, ready, exited, kill: () => child.kill("SIGKILL") };
}
