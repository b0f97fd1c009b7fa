// What the benches share: the middle of several rounds, and the same in PyTorch beside them.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A Python that has PyTorch: HALFTONE_TORCH_PYTHON, or python3. Says so where there is none. */
export function torchPython(): string | undefined {
  const python = process.env.HALFTONE_TORCH_PYTHON ?? "python3";
  if (spawnSync(python, ["-c", "import torch"]).status === 0) return python;
  console.log("PyTorch not found: pip install torch numpy, or set HALFTONE_TORCH_PYTHON to a Python that has it");
  return undefined;
}

/** A script of bench/reference that answers lines with JSON. */
export interface Reference {
  tell(line: string): void;
  /** @throws Error with what the script wrote to stderr when it ends before it answers */
  ask(line: string): Promise<unknown>;
  stop(): void;
}

// A stopped process does not end when its input does.
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a script with more variables of the environment. It is stopped while it has nothing to answer: with OMP_WAIT_POLICY=active
 * PyTorch's threads go on spinning, and take the cores from what is measured next.
 */
export function reference(python: string, script: string, env: NodeJS.ProcessEnv = {}): Reference {
  const file = fileURLToPath(new URL(`../../bench/reference/${script}`, import.meta.url));
  const child = spawn(python, [file], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  child.stderr.on("data", (text) => {
    said = (said + text).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = (line: string) => void child.stdin.write(`${line}\n`);
  running.add(child);
  return {
    tell,
    async ask(line) {
      child.kill("SIGCONT");
      tell(line);
      const { value, done } = await lines.next();
      child.kill("SIGSTOP");
      if (done) throw new Error(`PyTorch ended early:\n${said}`);
      return JSON.parse(value);
    },
    stop() {
      running.delete(child);
      child.kill("SIGKILL");
    },
  };
}
