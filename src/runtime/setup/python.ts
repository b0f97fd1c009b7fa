import { spawnSync } from "node:child_process";

export interface Python {
  command: string;
  version: string;
  /** pip's version; undefined when this Python has no pip. */
  pip: string | undefined;
}

/** The first Python 3 on the PATH, one with pip before one without. */
export function findPython(): Python | undefined {
  let found: Python | undefined;
  for (const command of ["python3", "python"]) {
    const asked = spawnSync(command, ["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"], {
      encoding: "utf8",
    });
    const version = asked.stdout?.trim();
    if (asked.status !== 0 || !version?.startsWith("3.")) continue;
    const pip = spawnSync(command, ["-m", "pip", "--version"], { encoding: "utf8" });
    const python = { command, version, pip: pip.status === 0 ? /^pip (\S+)/.exec(pip.stdout)?.[1] : undefined };
    if (python.pip) return python;
    found ??= python;
  }
  return found;
}
