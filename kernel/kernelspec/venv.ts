/** A Python environment that this program makes for itself, once for each list of packages, in the user's cache. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../src/runtime/cache.ts";
import { alone } from "../../src/runtime/lock.ts";
import { SetupProblem } from "../../src/runtime/problem.ts";

export interface Venv {
  folder: string;
  /** The path of a program in it: `bin("jupyter")`. */
  bin(name: string): string;
}

/** Finds or makes the environment that holds what `requirementsFile` pins. Throws what pip said when it cannot be made. */
export async function venv(requirementsFile: string, say: (what: string) => void): Promise<Venv> {
  const hash = createHash("sha256").update(readFileSync(requirementsFile)).digest("hex").slice(0, 12);
  const folder = path.join(cacheFolder(), "python", hash);
  const bin = (name: string): string => path.join(folder, process.platform === "win32" ? "Scripts" : "bin", name);
  const whole = path.join(folder, "complete");
  if (existsSync(whole)) return { folder, bin };
  const wait = (pid: string): void => say(`Process ${pid} is making the Python environment ${folder}; waiting for it`);
  await alone(folder, wait, async () => {
    if (existsSync(whole)) return;
    say(`Making a Python environment in ${folder} (once; about a minute)`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(path.dirname(folder), { recursive: true });
    await run("python3", ["-m", "venv", folder]);
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-input",
      "--disable-pip-version-check",
      "-r",
      requirementsFile,
    ];
    await run(bin("python"), pip);
    writeFileSync(whole, "");
  });
  return { folder, bin };
}

async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (error) => reject(new SetupProblem(`${command} could not be started: ${error.message}`)));
  });
  if (status !== 0) throw new SetupProblem(`${command} ${args.join(" ")} failed:\n${said.trim().slice(-2000)}`);
}
