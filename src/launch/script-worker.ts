import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Ending, StartedWorker } from "./run-workers.ts";

/** Starts a worker that runs a script. The first worker's output is shown as it is; each line of another one begins with its name. */
export function startScript(
  script: string,
  args: readonly string[],
  rank: number,
  env: NodeJS.ProcessEnv,
): StartedWorker {
  const entry = fileURLToPath(new URL("./script.js", import.meta.url));
  const flags = ["--enable-source-maps", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"];
  const child = spawn(process.execPath, [...flags, entry, script, ...args], {
    env,
    stdio: rank === 0 ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
  });
  if (child.stdout) prefixed(child.stdout, process.stdout, rank);
  if (child.stderr) prefixed(child.stderr, process.stderr, rank);
  const ended = new Promise<Ending>((resolve) => {
    child.on("error", (error) => resolve({ rank, fault: `could not be started: ${error.message}` }));
    child.on("close", (code, signal) => {
      const fault = signal ? `was ended by ${signal}` : code ? `ended with exit status ${code}` : undefined;
      resolve({ rank, fault });
    });
  });
  return { ended, stop: (force) => child.kill(force ? "SIGKILL" : "SIGTERM") };
}

function prefixed(from: Readable, to: Writable, rank: number): void {
  createInterface(from).on("line", (line) => to.write(`[worker ${rank}] ${line}\n`));
}
