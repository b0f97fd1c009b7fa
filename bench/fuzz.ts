// Runs programs of bench/reference/fuzz on both backends (or on the one that HALFTONE_BACKEND names) and prints where an
// answer is not PyTorch's or NumPy's and docs/numbers.md does not say why:
//
//   python bench/reference/fuzz --count 20000 --seed 2 --out /tmp/fuzz.json.gz && node dist/bench/fuzz.js /tmp/fuzz.json.gz
//
// With --json, of one backend, the report as JSON.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readPrograms } from "../test/tensor/fuzz/program.ts";
import type { Report } from "../test/tensor/fuzz/report.ts";
import { readTable } from "../test/tensor/fuzz/table.ts";

const asJson = process.argv[2] === "--json";
const files = process.argv.slice(asJson ? 3 : 2);
if (files.length === 0) {
  console.error("usage: node dist/bench/fuzz.js [--json] PROGRAMS.json.gz...");
  process.exit(2);
}
if (process.env.HALFTONE_BACKEND) {
  const { backend, count, found } = await compare();
  if (asJson) process.stdout.write(JSON.stringify(found));
  else print(backend, count, found);
} else
  for (const backend of ["tensorflow", "wasm"]) {
    const env = { ...process.env, HALFTONE_BACKEND: backend };
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...files], {
      env,
      stdio: "inherit",
    });
    if (status !== 0) process.exitCode = 1;
  }

async function compare(): Promise<{ backend: string; count: number; found: Report }> {
  const { ready } = await import("../src/index.ts");
  const { report } = await import("../test/tensor/fuzz/report.ts");
  const { backend } = await ready();
  const programs = readPrograms(files);
  const rows = readTable(new URL("../../docs/numbers.md", import.meta.url));
  return { backend, count: programs.length, found: report(programs, rows, backend) };
}

function print(backend: string, programs: number, { unexplained, needed }: Report): void {
  console.log(`${backend}: ${programs} programs, ${unexplained.length} with a difference that is not explained`);
  const kinds = new Map<string, { count: number; example: string }>();
  for (const { program, text } of unexplained) {
    const kind = `${program.op} ${program.st ?? "float32"} ${text.replace(/-?\d[\d.e+-]*|NaN|-?Infinity/g, "#")}`;
    const known = kinds.get(kind) ?? { count: 0, example: `${program.place}: ${text}\n  ${JSON.stringify(program)}` };
    kinds.set(kind, { ...known, count: known.count + 1 });
  }
  for (const [kind, { count, example }] of [...kinds].sort())
    console.log(`${count} x ${kind}\n  ${example.slice(0, 700)}`);
  console.log(`rows of the table that were needed: ${needed.map((row) => row + 1).join(", ")}`);
  if (unexplained.length > 0) process.exitCode = 1;
}
