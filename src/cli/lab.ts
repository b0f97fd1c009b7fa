import { spawn } from "node:child_process";
import path from "node:path";
import { assets } from "../../kernel/kernelspec/assets.ts";
import { install } from "../../kernel/kernelspec/kernelspec.ts";
import { venv } from "../../kernel/kernelspec/venv.ts";

/** Starts JupyterLab with this kernel, in a Python environment that Halftone manages; `args` are passed to `jupyter lab` unchanged. */
export async function lab(args: string[]): Promise<void> {
  const python = await venv(path.join(assets, "lab-requirements.txt"), console.log);
  install({ kind: "prefix", folder: python.folder });
  // JupyterLab refuses to start as root without this flag; in containers root is common.
  const root = process.getuid?.() === 0 ? ["--allow-root"] : [];
  const child = spawn(python.bin("jupyter"), ["lab", ...root, ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 1));
  });
}
