// Runs the runtime's tests, or those named, under other versions of Node: node dist/bench/nodes.js [24 26] [-- FILES]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const given = process.argv.slice(2);
const split = given.indexOf("--");
const named = split < 0 ? given : given.slice(0, split);
const versions = named.length > 0 ? named : ["20", "22", "24", "26"];
const files =
  split < 0 ? ["accounting", "load"].map((name) => `dist/test/runtime/${name}.test.js`) : given.slice(split + 1);

const folder = mkdtempSync(path.join(tmpdir(), "halftone-nodes-"));
let failed = false;
try {
  for (const version of versions) {
    const name = `node-${process.platform}-${process.arch}`;
    run("npm", [
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--ignore-scripts",
      "--loglevel=error",
      `${name}@${version}`,
    ]);
    const node = path.join(folder, "node_modules", name, "bin", "node");
    const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
    console.log(`Node ${stdout.trim()}: ${files.join(" ")}`);
    if (!run(node, ["--test", "--test-reporter=dot", ...files])) failed = true;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit" }).status === 0;
}
