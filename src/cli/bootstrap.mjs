// Runs before anything is installed or built, on plain Node: no import from outside Node, no TypeScript.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** Runs a program in the foreground; ends this process with its status when it fails. */
function run(command, args, what) {
  if (what) console.log(`[halftone] ${what}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`[halftone] ${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(path.join(root, file)));
  return hash.digest("hex");
}

/** Does `work` unless it was done for the same files before. */
function onceFor(stampFile, files, outputs, work) {
  const stamp = path.join(root, stampFile);
  const hash = hashOf(files);
  const done = existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
  if (done && outputs.every((file) => existsSync(path.join(root, file)))) return;
  work();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

function sources() {
  return ["src", "kernel", "test", "bench"]
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true }).map((file) => path.join(folder, file)),
    )
    .filter((file) => /\.tsx?$/.test(file))
    .sort();
}

/** Node 20 knows no globs in `--test`. */
function testFiles() {
  return readdirSync(path.join(root, "dist/test"), { recursive: true })
    .filter((file) => file.endsWith(".test.js"))
    .map((file) => path.join("dist/test", file))
    .sort();
}

function install() {
  onceFor("node_modules/.halftone/packages", ["package.json", "package-lock.json"], ["node_modules/typescript"], () =>
    run("npm", ["ci"], "Installing packages from the lockfile (about a minute the first time)"),
  );
}

function build() {
  onceFor("dist/.halftone-build", ["tsconfig.json", "package-lock.json", ...sources()], ["dist/src/cli/main.js"], () =>
    run(process.execPath, ["node_modules/typescript/bin/tsc"], "Building"),
  );
}

const halftone = (...args) => run(process.execPath, ["dist/src/cli/main.js", ...args]);
const rest = process.argv.slice(3);

switch (process.argv[2]) {
  case "build":
    install();
    build();
    break;
  case "start":
    install();
    build();
    halftone("setup");
    halftone("run", "notebooks", "-o", "report", ...rest);
    break;
  case "test": {
    install();
    build();
    halftone("setup");
    const files = rest.length > 0 ? rest : testFiles();
    run(process.execPath, ["--enable-source-maps", "--test", ...files]);
    break;
  }
  case "check":
    install();
    run("node_modules/.bin/biome", ["check", "--error-on-warnings"], "Format and lint");
    run(process.execPath, ["node_modules/typescript/bin/tsc"], "Types");
    run("node_modules/.bin/knip", [], "Unused code");
    break;
  default:
    console.error("usage: node src/cli/bootstrap.mjs start|test|build|check");
    process.exit(2);
}
