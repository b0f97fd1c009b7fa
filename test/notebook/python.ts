import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** Jupyter's own nbformat package, in an environment that is kept between runs. */
const NBFORMAT = "5.11.1";
const venv = path.join(os.homedir(), ".cache", "halftone-test", `nbformat-${NBFORMAT}`);
const python = path.join(venv, "bin", "python");

/** A Python with nbformat, or the reason why there is none. */
export function pythonWithNbformat(): { python: string } | { lacking: string } {
  try {
    if (!works()) {
      execFileSync("python3", ["-m", "venv", "--clear", venv], { stdio: "pipe" });
      execFileSync(python, ["-m", "pip", "install", "--quiet", `nbformat==${NBFORMAT}`], {
        stdio: "pipe",
        timeout: 120_000,
      });
    }
    return { python };
  } catch (error) {
    return { lacking: `no Python with nbformat ${NBFORMAT}: ${String((error as Error).message).split("\n")[0]}` };
  }
}

function works(): boolean {
  if (!existsSync(python)) return false;
  try {
    execFileSync(python, ["-c", "import nbformat"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}
