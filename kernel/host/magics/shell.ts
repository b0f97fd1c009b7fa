import { spawn } from "node:child_process";
import { currentCell } from "../run/cells.ts";
import { signalTree } from "../run/children.ts";

/** Runs bash (a POSIX shell where there is no bash), its output as the cell's. Ends with the cell: Stop stops it too. */
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
  // In the host's process group: what it leaves in the background ends with the host.
  // With a socket as its input, which Node's pipes are, bash may take itself for a remote login and run the user's .bashrc.
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
