// Runs the runtime's tests, the quick ones or those named under other versions of Node: node dist/bench/nodes.js [24 26] [--quick | -- FILES]
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const given = process.argv.slice(2);
const split = given.indexOf("--");
const own = split < 0 ? given : given.slice(0, split);
const named = own.filter((argument) => argument !== "--quick");
const versions = named.length > 0 ? named : ["20", "22", "24", "26"];
const runtime = ["accounting", "load"].map((name) => `dist/test/runtime/${name}.test.js`);
const tests = own.includes("--quick") ? ["--quick"] : split < 0 ? runtime : given.slice(split + 1);

const folder = mkdtempSync(path.join(tmpdir(), "halftone-nodes-"));
const results: string[] = [];
try {
  for (const version of versions) {
    const name = `node-${process.platform}-${process.arch}`;
    const prefix = path.join(folder, version);
    const options = ["--prefix", prefix, "--no-save", "--ignore-scripts", "--loglevel=error"];
    spawnSync("npm", ["install", ...options, `${name}@${version}`], { stdio: "inherit" });
    const bin = path.join(prefix, "node_modules", name, "bin");
    const found = spawnSync(path.join(bin, "node"), ["--version"], { encoding: "utf8" }).stdout?.trim() || version;
    console.log(`Node ${found}: ${tests.join(" ")}`);
    const { status, output } = await runTests(bin);
    const counts = output.match(/^# (pass|fail|cancelled|skipped) \d+$/gm)?.map((line) => line.slice(2)) ?? [];
    if (status !== 0) process.exitCode = 1;
    results.push(`Node ${found}: ${status === 0 ? "passed" : "FAILED"} (${counts.join(", ") || "no test ran"})`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(results.join("\n"));

/** `npm test` of the Node in `bin`, which is also the one that the tests start by name. */
async function runTests(bin: string): Promise<{ status: number | null; output: string }> {
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  const child = spawn(path.join(bin, "node"), ["src/cli/bootstrap.mjs", "test", "--test-reporter=tap", ...tests], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const status = await new Promise<number | null>((resolve) => {
    child.on("error", () => resolve(null)).on("close", resolve);
  });
  return { status, output };
}
