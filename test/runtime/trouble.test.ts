import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { collectorAddon } from "../../src/runtime/finalizer-build.ts";
import { type Prebuilt, platformName, sourcesHash } from "../../src/runtime/setup/prebuilt.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { halftone, start } from "./fixture.ts";

const python = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout?.trim();
const skip =
  process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)
    ? "TensorFlow publishes no library for this machine"
    : !python && "there is no Python here";

/** What a setup says that cannot build: one line, that WebAssembly is used instead, no stack trace, and a good end. */
async function refusal(env: Record<string, string>): Promise<string> {
  const { stdout, stderr, status } = await halftone(["setup"], env).ended;
  assert.equal(stderr, "");
  assert.equal(status, 0, stdout);
  const [problem, fallback] = stdout.trim().split("\n").slice(-2);
  assert.match(fallback ?? "", /^\[halftone\] Using the WebAssembly backend/);
  assert.match(problem ?? "", /^\[halftone\] No native TensorFlow for the CPU\. /);
  assert.doesNotMatch(stdout, /^\s+at /m);
  return problem!;
}

/** A folder to be the whole PATH, with these programs in it. */
function pathWith(programs: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, target] of Object.entries(programs)) {
    if (path.isAbsolute(target)) symlinkSync(target, path.join(folder, name));
    else writeFileSync(path.join(folder, name), target);
    chmodSync(path.join(folder, name), 0o755);
  }
  return folder;
}

const compiler = "#!/bin/sh\necho 'a compiler 1.0'\n";
/** pip asks this address, once, and no other. */
const index = (url: string) => ({
  PIP_INDEX_URL: url,
  PIP_RETRIES: "0",
  PIP_CONFIG_FILE: "/dev/null",
  PIP_FIND_LINKS: "",
});
const nothingLeft = (cache: string) =>
  assert.deepEqual(
    readdirSync(cache, { recursive: true })
      .map(String)
      .filter((name) => !/^collector(\/[0-9a-f]{16}\.node)?$/.test(name))
      .sort(),
    ["native", "wheels"],
    "nothing half-written is left",
  );

test("without Python, setup says what to install", { skip }, async () => {
  const said = await refusal({ PATH: pathWith({}), HALFTONE_CACHE: temporaryFolder() });
  assert.match(said, /Python 3 is missing: install it with pip/);
});

const seenAs = (code: string) => ({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` });
for (const [platform, arch] of [
  ["win32", "x64"],
  ["darwin", "x64"],
])
  test(`on ${platform} ${arch}, setup says where there is a library`, { skip }, async () => {
    const system = seenAs(
      `Object.defineProperty(process, "platform", { value: "${platform}" });
       Object.defineProperty(process, "arch", { value: "${arch}" });`,
    );
    const said = await refusal({ ...system, HALFTONE_CACHE: temporaryFolder() });
    assert.match(
      said,
      new RegExp(`no native TensorFlow [0-9.]+ for ${platform} ${arch} cpu; there is one for linux x64`),
    );
  });

test("on a Linux without glibc, setup says what kind it needs", { skip }, async () => {
  const musl = seenAs(`process.report.getReport = () => ({ header: {} });`);
  const said = await refusal({ ...musl, HALFTONE_CACHE: temporaryFolder() });
  assert.match(said, /needs glibc, which this Linux \(musl\) does not have: use a Debian-like one/);
});

test("for WebAssembly, setup builds the collector, and doctor has nothing left to report", async () => {
  const env = { HALFTONE_BACKEND: "wasm", HALFTONE_CACHE: temporaryFolder() };
  const before = await halftone(["doctor"], env).ended;
  assert.match(before.stdout, /only between turns of the event loop, because .* \(run `halftone setup`\)/);
  const { stdout } = await halftone(["setup"], env).ended;
  assert.equal(stdout, "[halftone] Compiling the addon that frees tensors (about 1 s)\n");
  const after = await halftone(["doctor"], env).ended;
  assert.doesNotMatch(after.stdout, /event loop|halftone setup/);
  assert.equal(after.status, 0);
});

test("without a compiler, doctor says to install one before setup", async () => {
  const env = { HALFTONE_BACKEND: "wasm", HALFTONE_CACHE: temporaryFolder(), PATH: pathWith({}), CXX: "" };
  const { stdout } = await halftone(["doctor"], env).ended;
  assert.match(stdout, /install a C\+\+ compiler, .*, and run `halftone setup`/);
});

test("without pip, setup says what to install", { skip }, async () => {
  const python3 = '#!/bin/sh\n[ "$1" = -c ] && echo 3.11.0\n';
  const said = await refusal({ PATH: pathWith({ python3, "g++": compiler }), HALFTONE_CACHE: temporaryFolder() });
  assert.match(said, /python3 has no pip, .*: install it/);
});

test("where Python has no pip, uv runs it", { skip }, async () => {
  const python3 = '#!/bin/sh\n[ "$1" = -c ] && echo 3.11.0\n';
  const uvx = '#!/bin/sh\n[ "$2" = --version ] && echo pip 25.0 || { echo "uvx was asked for $2" >&2; exit 1; }\n';
  const said = await refusal({ PATH: pathWith({ python3, uvx, "g++": compiler }), HALFTONE_CACHE: temporaryFolder() });
  assert.match(said, /pip could not download tensorflow.*: uvx was asked for download/);
});

test("without a compiler, setup downloads zig before anything else", { skip }, async () => {
  const nowhere = index("http://127.0.0.1:9/simple");
  const env = { ...nowhere, PATH: pathWith({ python3: python! }), HALFTONE_CACHE: temporaryFolder(), CXX: "" };
  assert.match(await refusal(env), /pip could not download ziglang .*: the package index is out of reach/);
});

test("an addon of a package serves without a compiler, unless it is damaged or made of other sources", async () => {
  const packages = temporaryFolder();
  const cache = temporaryFolder();
  const wasm = { HALFTONE_BACKEND: "wasm", HALFTONE_CACHE: cache };
  await halftone(["setup"], wasm).ended;
  const compiled = readFileSync(path.join(cache, "collector", readdirSync(path.join(cache, "collector"))[0]!));
  const folder = path.join(packages, `@halftone/native-${platformName()}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "collector.node"), compiled);
  const sha256 = createHash("sha256").update(compiled).digest("hex");
  const sources = sourcesHash(collectorAddon().sources);
  const setup = async (list: Prebuilt) => {
    writeFileSync(path.join(folder, "prebuilt.json"), JSON.stringify(list));
    const env = { ...wasm, HALFTONE_CACHE: temporaryFolder(), NODE_PATH: packages, PATH: pathWith({}), CXX: "" };
    return (await halftone(["setup"], env).ended).stdout;
  };
  assert.equal(await setup({ collector: { sources, sha256 } }), "");
  assert.match(await setup({ collector: { sources: sha256, sha256 } }), /C\+\+ compiler is missing: install g\+\+/);
  assert.match(await setup({ collector: { sources, sha256: sources } }), /C\+\+ compiler is missing: install g\+\+/);
});

test("without a network, setup says so in one line and leaves nothing", { skip }, async () => {
  const cache = temporaryFolder();
  const said = await refusal({ ...index("http://127.0.0.1:9/simple"), HALFTONE_CACHE: cache });
  assert.match(
    said,
    /could not download tensorflow.* the package index is out of reach, or is one that does not have it\. Check the network/,
  );
  nothingLeft(cache);
});

test("a download with another hash is refused", { skip }, async () => {
  const cache = temporaryFolder();
  const wheels = temporaryFolder();
  const names = {
    x64: "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
    arm64: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl",
  };
  writeFileSync(path.join(wheels, names[process.arch as "x64" | "arm64"]), `PK\u0005\u0006${"\0".repeat(18)}`);
  const said = await refusal({ ...index(""), PIP_NO_INDEX: "1", PIP_FIND_LINKS: wheels, HALFTONE_CACHE: cache });
  assert.match(said, /sent a file with another hash/);
  nothingLeft(cache);
});

test("a cache that cannot be written is reported with its path", { skip }, async () => {
  const file = path.join(temporaryFolder(), "file");
  writeFileSync(file, "");
  const said = await refusal({ HALFTONE_CACHE: path.join(file, "cache") });
  assert.match(said, /The cache .*file\/cache cannot be written \(ENOTDIR\)\. Make it writable, or set HALFTONE_CACHE/);
});

test("a disk that is too full is reported before anything is downloaded", { skip }, async (t) => {
  const folder = temporaryFolder();
  const mount = `mount -t tmpfs -o size=20m tmpfs ${folder}`;
  if (spawnSync("unshare", ["-rm", "sh", "-c", mount]).status !== 0)
    return t.skip("this user may not mount a small disk");
  const setup = `${mount} && HALFTONE_CACHE=${folder} exec ${process.execPath} dist/src/cli/main.js setup`;
  const { stdout, status } = spawnSync("unshare", ["-rm", "sh", "-c", setup], { encoding: "utf8" });
  assert.match(
    stdout,
    /The disk is too full: .* needs 1\.2 GB, 0\.0 GB are free\. Free some space, or set HALFTONE_CACHE/,
  );
  assert.doesNotMatch(stdout, /Downloading/);
  assert.equal(status, 0);
});

test("setup that is stopped during a download ends at once and removes its files", { skip }, async (t) => {
  const cache = temporaryFolder();
  const server = "require('net').createServer(() => {}).listen(0, () => console.log(s.address().port))";
  const silent = start(["-e", `const s = ${server}`]);
  t.after(() => silent.child.kill());
  let port = "";
  silent.child.stdout!.on("data", (text) => {
    port += text;
  });
  await silent.saw(/\d+\n/);
  const setup = halftone(["setup"], { ...index(`http://127.0.0.1:${port.trim()}/simple`), HALFTONE_CACHE: cache });
  await setup.saw(/Downloading/);
  setup.child.kill("SIGTERM");
  const { status, stdout } = await setup.ended;
  assert.match(stdout, /Stopped\. `halftone setup` resumes from the last finished download\./);
  assert.equal(status, 143);
  nothingLeft(cache);
});
