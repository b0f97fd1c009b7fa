import { spawnSync } from "node:child_process";

export interface Python {
  command: string;
  version: string;
  /** pip's version; undefined when nothing on this machine runs pip. */
  pip: string | undefined;
  /** What runs pip: this Python, else uv or pipx. */
  pipCommand: readonly string[];
}

/** The first Python 3 on the PATH or of uv, one with pip before one without; uv or pipx run pip where no Python has it. */
export function findPython(): Python | undefined {
  let found: Python | undefined;
  for (const find of [() => "python3", () => "python", () => outputOf("uv", "python", "find")]) {
    const command = find();
    if (!command) continue;
    const version = outputOf(command, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])");
    if (!version?.startsWith("3.")) continue;
    const pipCommand = [command, "-m", "pip"];
    const python = { command, version, pip: pipVersion(pipCommand), pipCommand };
    if (python.pip) return python;
    found ??= python;
  }
  if (!found) return undefined;
  for (const pipCommand of [
    ["uvx", "pip"],
    ["pipx", "run", "pip"],
  ]) {
    const pip = pipVersion(pipCommand);
    if (pip) return { ...found, pip, pipCommand };
  }
  return found;
}

const pipVersion = (command: readonly string[]): string | undefined =>
  /^pip (\S+)/.exec(outputOf(...command, "--version") ?? "")?.[1];

/** What a program prints; undefined where it is missing or fails. */
function outputOf(command = "", ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
