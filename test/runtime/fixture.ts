import { type ChildProcess, spawn } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { runtimeInfo } from "../../src/runtime/index.ts";

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Settles when a line of stdout matches; rejects when the process ends without one. */
  saw(line: RegExp): Promise<void>;
}

/** Starts a Node process; `env` is laid over this process's own, and removes what is undefined in it. */
export function start(args: readonly string[], env: Record<string, string | undefined> = {}): Running {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
  const saw = (line: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => line.test(stdout) && resolve();
      child.stdout.on("data", look);
      child.on("close", () => reject(new Error(`no ${line} in:\n${stdout}${stderr}`)));
      look();
    });
  return { child, ended, saw };
}

export const halftone = (args: readonly string[], env?: Record<string, string>): Running =>
  start(["dist/src/cli/main.js", ...args], env);

/** Runs a module that has `tf` and the rest of the runtime in scope, and returns what it ended with. */
export function script(code: string, env?: Record<string, string>): Promise<Ended> {
  const url = new URL("../../src/runtime/index.js", import.meta.url);
  const names = "tf, ready, runtimeInfo, nativeMemory, resetPeak";
  const prelude = `const { ${names} } = await import(${JSON.stringify(url.href)});`;
  return start(["--input-type=module", "-e", `${prelude}\n${code}`], env).ended;
}

/** The native library that this process runs; undefined on a machine that has none. */
export function ownLibrary(): string | undefined {
  const { library } = runtimeInfo();
  return library && path.resolve(library.path, "../..");
}

/**
 * A cache on the same file system as the user's own, with its downloads and its kernels, whose compilation takes longest: links, nothing
 * is copied.
 */
export function cacheWithDownloads(t: TestContext): string {
  const own = path.resolve(ownLibrary()!, "../..");
  const cache = mkdtempSync(path.join(own, ".test-"));
  t.after(() => rmSync(cache, { recursive: true, force: true }));
  for (const [folder, ending] of [
    ["wheels", ".whl"],
    ["kernels", ".node"],
  ] as const) {
    mkdirSync(path.join(cache, folder));
    for (const file of readdirSync(path.join(own, folder)).filter((name) => name.endsWith(ending)))
      linkSync(path.join(own, folder, file), path.join(cache, folder, file));
  }
  return cache;
}
