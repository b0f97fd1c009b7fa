import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../base/user-error.ts";
import type { Recipe } from "./recipe.ts";
import { compilerError, runTool } from "./run-tool.ts";

export interface Compiler {
  command: string;
  version: string;
}

/** The C++ compiler: `$CXX`, else the first of g++, clang++ and c++ on the PATH. */
export function findCompiler(): Compiler | undefined {
  for (const command of [process.env.CXX, "g++", "clang++", "c++"]) {
    if (!command) continue;
    const asked = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (asked.status === 0) return { command, version: asked.stdout.split("\n")[0] ?? "" };
  }
  return undefined;
}

export const bindingFile = "tfjs_binding.node";

/** Compiles the package's binding in `folder` against the library unpacked there. The folder may be moved afterwards. */
export async function compile(compiler: Compiler, recipe: Recipe, folder: string, signal?: AbortSignal): Promise<void> {
  const sources = readdirSync(recipe.bindingFolder).filter((file) => file.endsWith(".cc"));
  const args = [
    ...recipe.flags,
    `-I${recipe.nodeHeaders}`,
    `-I${path.join(folder, "tensorflow/include")}`,
    ...sources.map((file) => path.join(recipe.bindingFolder, file)),
    path.join(folder, "tensorflow/libtensorflow_cc.so.2"),
    path.join(folder, "tensorflow/libtensorflow_framework.so.2"),
    "-Wl,-rpath,$ORIGIN/tensorflow",
    "-o",
    path.join(folder, bindingFile),
  ];
  // The compiler's scratch files stay where the library is built: a small /tmp must not matter.
  const { ok, errorText } = await runTool(compiler.command, args, { env: { TMPDIR: folder }, signal });
  if (ok) return;
  throw new UserError(`${compiler.command} could not compile the TensorFlow binding: ${compilerError(errorText)}`, 1);
}
