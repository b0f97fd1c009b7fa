// `halftone train` in a network namespace that has loopback alone.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** A worker must not be reached from outside even where it would listen on every interface. */
const isolated = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
const canIsolate = spawnSync(isolated[0]!, [...isolated.slice(1), "true"]).status === 0;

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The file of a compiled module beside the tests. */
export const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export function halftoneTrain(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const [command, ...rest] = [...(canIsolate ? isolated : []), process.execPath, main, "train", ...args];
  const child = spawn(command!, rest, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 240_000,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}
