import { spawn } from "node:child_process";
import { currentCell } from "../run/cells.ts";
import { signalTree } from "../run/children.ts";

/** Runs bash, or a POSIX shell when there is no bash. Its output is the cell's, and an interrupt of the cell ends it. */
export async function shell(args: string[], input?: string): Promise<number> {
  const cell = currentCell();
  try {
    return await run("bash", args, input, cell);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return run("sh", args, input, cell);
  }
}

async function run(
  program: string,
  args: string[],
  input: string | undefined,
  cell: ReturnType<typeof currentCell>,
): Promise<number> {
  // The shell stays in the host's process group, so that its background processes end with the host.
  // Without an input its stdin is no pipe: Node's pipes are sockets, with which bash may assume a remote login and run .bashrc.
  const child = spawn(program, args, { stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  const stop = (): void => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    signalTree(child.pid, "SIGKILL");
  };
  cell?.atEnd.push(stop);
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  child.stdout!.setEncoding("utf8").on("data", (text: string) => process.stdout.write(text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => process.stderr.write(text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      if (cell) cell.atEnd.splice(cell.atEnd.indexOf(stop), 1);
      resolve(status ?? (signal ? 128 : 1));
    });
  });
}
