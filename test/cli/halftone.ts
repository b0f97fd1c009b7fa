import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

// Makes TensorFlow print "oneDNN custom operations are on" on every CPU, as it does by default on some.
process.env.TF_ENABLE_ONEDNN_OPTS = "1";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

interface Surroundings {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** A command that starts halftone, such as a wrapper. */
  through?: string[];
  /** Milliseconds after which the command is ended, a minute by default. */
  timeout?: number;
}

export interface Running {
  finished: Promise<Finished>;
  /** Settles when the command's stderr holds `text`. */
  said(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts the command without a terminal. */
export function start(args: string[], { cwd, env, through = [], timeout = 60_000 }: Surroundings = {}): Running {
  const [command, ...rest] = [...through, process.execPath, main, ...args];
  const child = spawn(command!, rest, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout });
  let stdout = "";
  let stderr = "";
  let heard: (() => void) | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    heard?.();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      heard = () => {
        if (stderr.includes(text)) resolve();
      };
      heard();
      finished.then(() => reject(new Error(`it ended without saying ${JSON.stringify(text)}:\n${stderr}`)), reject);
    });
  return { finished, said, kill: (signal) => child.kill(signal) };
}

export function halftone(args: string[], options?: Surroundings): Promise<Finished> {
  return start(args, options).finished;
}
