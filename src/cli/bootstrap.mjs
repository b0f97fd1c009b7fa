// Runs before anything is installed or built, so it is plain JavaScript and imports only Node's own modules.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const usage = "usage: node src/cli/bootstrap.mjs start|lab|test|build|check|release|prebuild [arguments]";

const say = (line) => console.log(`[halftone] ${line}`);

/** Prints an error message and ends this process. */
function fail(message, status = 1) {
  console.error(`[halftone] ${message}`);
  process.exit(status);
}

/** Runs a program in the foreground; ends this process with its status when it fails. */
function run(command, args, what) {
  if (what) say(what);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Node ${process.versions.node} is too old: Halftone needs 20.19 or newer (https://nodejs.org, or your version manager).`,
  );
}

/**
 * Runs `work` while no other bootstrap runs in this checkout. The lock is a Linux abstract socket, which the kernel
 * releases when its owner ends; a waiting process notices because its connection closes. Other systems have no lock.
 */
async function withCheckoutLock(work) {
  if (process.platform !== "linux") return work();
  const address = `\0halftone-checkout-${createHash("sha256").update(root).digest("hex").slice(0, 32)}`;
  for (let announced = false; ; announced = true) {
    const waiting = new Set();
    const server = net.createServer((socket) => waiting.add(socket.on("error", () => {})));
    const owned = await new Promise((resolve) => {
      server.once("listening", () => resolve(true)).once("error", () => resolve(false));
      server.listen(address);
    });
    if (owned) {
      await work();
      server.close();
      for (const socket of waiting) socket.destroy();
      return;
    }
    if (!announced) say("Another Halftone command is setting this checkout up; waiting for it");
    await new Promise((resolve) => {
      net
        .connect(address)
        .on("error", () => {})
        .on("close", resolve)
        .resume();
    });
  }
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(path.join(root, file)));
  return hash.digest("hex");
}

/** Runs `work` unless it was completed for the same files before. The stamp is written last, so interrupted work runs again. */
async function onceFor(stampFile, files, outputs, work) {
  const stamp = path.join(root, stampFile);
  const hash = hashOf(files);
  const done = existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
  if (done && outputs.every((file) => existsSync(path.join(root, file)))) return;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

function filesUnder(folder, ending) {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true })
    .map((file) => path.join(folder, file))
    .filter((file) => ending.test(file))
    .sort();
}

const compiled = ["src", "kernel", "test", "bench", "release"];
const sources = () => compiled.flatMap((folder) => filesUnder(folder, /\.tsx?$/));

function install() {
  // A linked node_modules (several worktrees of one checkout) is installed by the checkout that owns it.
  if (lstatSync(path.join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) return;
  return onceFor(
    "node_modules/.halftone/packages",
    ["package.json", "package-lock.json"],
    ["node_modules/typescript"],
    installPackages,
  );
}

async function installPackages() {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const total = Object.keys(packages).filter((name) => !packages[name].optional).length - 1;
  say(`Installing ${total} packages from the lockfile (about a minute the first time)`);
  // At this log level npm reports at once that the registry does not answer; it then retries for up to two minutes.
  const npm = spawn("npm", ["ci", "--loglevel=http", "--no-progress"], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errorText = "";
  let failedOnce = false;
  npm.stderr.setEncoding("utf8").on("data", (text) => {
    errorText += text;
    const failed = !failedOnce && /^npm http fetch .* failed with (E\w+)/m.exec(text);
    if (!failed) return;
    failedOnce = true;
    say(
      `The package registry does not answer (${failed[1]}); npm tries again for two minutes. Without a network, end this with Ctrl-C.`,
    );
  });
  let shown = 0;
  const watch = setInterval(() => {
    const installed = Object.keys(packages).filter((name) => name && existsSync(path.join(root, name, "package.json")));
    const percent = Math.min(100, Math.floor((installed.length * 4) / total) * 25);
    if (percent > shown) say(`  ${percent} %`);
    shown = Math.max(shown, percent);
  }, 1000);
  const status = await new Promise((resolve) => npm.on("error", resolve).on("close", resolve));
  clearInterval(watch);
  if (status instanceof Error) fail("npm could not be started. It comes with Node: is it on the PATH?");
  if (status !== 0) fail(npmFailure(errorText), status ?? 1);
}

function npmFailure(errorText) {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(errorText)?.[1] ?? "";
  const again = "then run this again.";
  if (/^(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|EPROTO)$/.test(code))
    return `The packages could not be installed: the package registry is out of reach (${code}).\nCheck the network or npm's registry and proxy settings, ${again}`;
  if (code === "ENOSPC" || /ENOSPC/.test(errorText))
    return `The packages could not be installed: the disk is full (they take about 1 GB). Free some space, ${again}`;
  if (code === "EACCES" || code === "EROFS" || code === "EPERM")
    return `The packages could not be installed: ${root}/node_modules cannot be written (${code}). Make it writable, ${again}`;
  const lines = errorText.split("\n").filter((line) => /^npm (error|ERR!) (?!code|A complete log)/.test(line));
  const why = lines.map((line) => line.replace(/^npm (error|ERR!) /, "").trim()).find(Boolean) ?? "npm did not say why";
  return `The packages could not be installed: ${why}\nPut that right, ${again}`;
}

function build() {
  return onceFor(
    "dist/.halftone-build",
    ["tsconfig.json", "package-lock.json", ...sources()],
    ["dist/src/cli/main.js"],
    () => {
      run(process.execPath, ["node_modules/typescript/bin/tsc"], "Building");
      removeOrphans();
    },
  );
}

/** Removes build output whose source was renamed or removed, so that an old test does not run. */
function removeOrphans() {
  const current = new Set(sources().map((file) => file.replace(/\.tsx?$/, "")));
  const output = compiled.flatMap((folder) => filesUnder(`dist/${folder}`, /\.(js|js\.map|d\.ts)$/));
  for (const file of output) {
    const source = path.relative("dist", file).replace(/\.(js|js\.map|d\.ts)$/, "");
    if (!current.has(source)) rmSync(path.join(root, file));
  }
}

/** The tests of the folders in which something changed since main: `src/x/y.ts` and `kernel/x/y.ts` are tested in `test/x`. */
function changedTests() {
  const git = (...args) => spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.split("\n") ?? [];
  const base = git("merge-base", "HEAD", "main")[0] || "HEAD";
  const changed = [...git("diff", "--name-only", base), ...git("ls-files", "--others", "--exclude-standard")];
  const folders = new Set();
  for (const file of changed.filter((file) => /\.(tsx?|mjs)$/.test(file))) {
    const [top, second] = file.split("/");
    if (top === "kernel") folders.add("dist/test/kernel/");
    if (second && (top === "src" || top === "test" || top === "kernel")) folders.add(`dist/test/${second}/`);
  }
  return tests().filter((file) => [...folders].some((folder) => file.startsWith(folder)));
}

/** All test files, listed one by one because Node 20 has no globs in `--test`. */
const tests = () => filesUnder("dist/test", /\.test\.js$/);

/** The tests of whole notebooks, of clusters, and of other people's programs: Jupyter, Chromium, npm, pip. `test --quick` leaves them out. */
const slow = [
  "cli/lock.",
  "distributed/",
  "notebook/nbformat.",
  "notebook/report",
  "notebooks/",
  "peers/",
  "plot/save.",
  "ray/",
  "release/",
  "runtime/trouble.",
  "sweep/",
];
const quickTests = () => tests().filter((file) => !slow.some((start) => file.startsWith(`dist/test/${start}`)));

/** One test file more than there are cores, because many wait for other processes. Node's default is one fewer. */
const concurrency = `--test-concurrency=${availableParallelism() + 1}`;
/** For a test, and for a file of tests: what hangs fails, and the others still run. */
const timeout = "--test-timeout=600000";
const runTests = (files, ...options) =>
  run(process.execPath, ["--enable-source-maps", ...options, concurrency, timeout, "--test", ...files]);
const halftone = (...args) => run(process.execPath, ["dist/src/cli/main.js", ...args]);

checkNode();
const [task, ...rest] = process.argv.slice(2);
if (!["start", "lab", "test", "build", "check", "release", "prebuild"].includes(task)) fail(usage, 2);
await withCheckoutLock(async () => {
  await install();
  if (task !== "check") await build();
});
if (task === "start") {
  halftone("setup");
  halftone("run", "notebooks", "-o", "report", "--no-models", ...rest);
}
if (task === "lab") {
  halftone("setup");
  halftone("lab", "notebooks", ...rest);
}
if (task === "test") {
  halftone("setup");
  const files = rest.filter((argument) => !argument.startsWith("--"));
  const options = rest.filter((argument) => argument.startsWith("--") && argument !== "--quick");
  const all = rest.includes("--quick") ? quickTests : tests;
  runTests(files.length > 0 ? files : all(), ...options);
}
if (task === "release") run(process.execPath, ["dist/release/main.js", ...rest]);
if (task === "prebuild") run(process.execPath, ["dist/release/prebuild.js", ...rest]);
if (task === "check") {
  run("node_modules/.bin/biome", ["check", "--error-on-warnings"], "Format and lint");
  await withCheckoutLock(build);
  run("node_modules/.bin/knip", [], "Unused code");
  const files = changedTests();
  if (files.length > 0) {
    say(`Tests of what changed (${files.length} files)`);
    runTests(files, "--test-reporter=dot");
  }
}
