import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface ToolRun {
  ok: boolean;
  /** What it wrote to stderr. */
  errorText: string;
}

export interface ToolOptions {
  /** Variables beside this process's own. */
  env?: Record<string, string>;
  /** The folder to run in; this process's by default. */
  cwd?: string;
  /** Runs through a shell, which Windows needs for commands that are scripts. */
  shell?: boolean;
  signal?: AbortSignal | undefined;
  /** Hears each line of its stdout. */
  onLine?: (line: string) => void;
}

/** Runs a program to its end. Rejects when it cannot be started or the signal stops it. */
export function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolRun> {
  const { env, cwd, shell, signal, onLine } = options;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    ...(shell !== undefined && { shell }),
    stdio: ["ignore", onLine ? "pipe" : "ignore", "pipe"],
    ...(signal && { signal }),
  });
  let errorText = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errorText += text;
  });
  if (onLine && child.stdout) createInterface(child.stdout).on("line", onLine);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ok: status === 0, errorText }));
  });
}

/** The last line that is not empty. */
export const lastLine = (text: string): string => text.trim().split("\n").at(-1) || "(no output)";

/** The line in which a compiler reports the error. */
export const compilerError = (text: string): string =>
  (text.split("\n").find((line) => /error|No space/i.test(line)) ?? lastLine(text)).trim();
