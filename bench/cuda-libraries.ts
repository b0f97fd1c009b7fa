// Whether TensorFlow finds the libraries of CUDA that `halftone setup` fetches, on a machine with or without a GPU (it downloads 3.4 GB into the
// cache, once): node dist/bench/cuda-libraries.js
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { provision } from "../src/runtime/setup/provision.ts";

const libraries = ["CudaRuntime", "Cublas", "CublasLt", "Cudnn", "Cufft", "Cupti", "Cusolver", "Cusparse", "Nccl"];

const folder = await provision("gpu", { step: (line) => console.error(line), share: () => {} });
const work = mkdtempSync(path.join(tmpdir(), "halftone-cuda-"));
try {
  const program = path.join(work, "open");
  const source = fileURLToPath(new URL("../../bench/cuda-libraries.cc", import.meta.url));
  execFileSync(process.env.CXX ?? "g++", ["-O1", source, "-o", program, "-ldl"]);
  const symbols = libraries.map((name) => `_ZN3tsl8internal9DsoLoader${name.length + 12}Get${name}DsoHandleEv`);
  const main = path.join(folder, "tensorflow/libtensorflow_framework.so.2");
  const text = execFileSync(program, [main, ...symbols], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const found = text.trimEnd().split("\n");
  for (const [i, name] of libraries.entries())
    console.log(`${name.padEnd(12)} ${found[i] ? path.relative(folder, path.resolve(found[i])) : "NOT FOUND"}`);
  if (found.length < libraries.length || found.includes("")) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
