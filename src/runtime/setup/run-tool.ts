import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface ToolRun {
  ok: boolean;
  /** What it wrote to stderr. */
  said: string;
}

export interface ToolOptions {
  /** Variables beside this process's own. */
  env?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Hears each line of its stdout. */
  onLine?: (line: string) => void;
}

/** Runs a program to its end. Rejects when it cannot be started or the signal stops it. */
export function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolRun> {
  const { env, signal, onLine } = options;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", onLine ? "pipe" : "ignore", "pipe"],
    ...(signal && { signal }),
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  if (onLine && child.stdout) createInterface(child.stdout).on("line", onLine);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ok: status === 0, said }));
  });
}

/** The last line that says something. */
export const lastLine = (said: string): string => said.trim().split("\n").at(-1) || "it said nothing";

/** The line in which a compiler says what is wrong. */
export const compilerError = (said: string): string =>
  (said.split("\n").find((line) => /error|No space/i.test(line)) ?? lastLine(said)).trim();
