import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { filesUnder } from "../../release/files.ts";
import { stage } from "../../release/stage.ts";
import { start } from "../runtime/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const parent = temporaryFolder();
const folder = path.join(parent, "halftone");
const read = (file: string): string => readFileSync(path.join(folder, file), "utf8");

before(() => stage(process.cwd(), folder, ["linux-x64"]));

test("the package and its dependencies have no install scripts and no overrides, and its native packages are optional", () => {
  const manifest = JSON.parse(read("package.json"));
  assert.equal(manifest.scripts, undefined);
  assert.equal(manifest.overrides, undefined);
  assert.equal(manifest.private, undefined);
  assert.equal(manifest.optionalDependencies["@halftone/native-linux-x64"], manifest.version);
  for (const name of [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)]) {
    const file = path.resolve("node_modules", name, "package.json");
    const { scripts = {} } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
    assert.equal(scripts.install ?? scripts.postinstall, undefined, name);
  }
});

test("no package in it has an install script, a source map or a build for browsers", () => {
  for (const file of filesUnder(folder, "dist/node_modules", /^dist\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/))
    assert.equal(JSON.parse(read(file)).scripts, undefined, file);
  assert.deepEqual(filesUnder(folder, "dist/node_modules", /\.map$|\.min\.js$|es2017/), []);
  const bytes = filesUnder(folder, ".", /^/).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
  assert.ok(bytes < 40e6, `${bytes} bytes`);
});

test("the files of src that are not compiled are in it", () => {
  const sources = (root: string) => filesUnder(root, "src", /\.(?!ts$|mjs$)\w+$/);
  assert.ok(sources(process.cwd()).includes("src/sweep/ray/driver.py"));
  assert.deepEqual(sources(folder), sources(process.cwd()));
});

test("every entry has the files that its conditions name, and a CommonJS twin with types of its own", () => {
  const { exports } = JSON.parse(read("package.json")) as {
    exports: Record<string, Record<string, Record<string, string>>>;
  };
  for (const [name, entry] of Object.entries(exports)) {
    if (typeof entry === "string") continue;
    const files = [entry.import?.types, entry.import?.default, entry.require?.types, entry.require?.default];
    for (const file of files) assert.ok(file && existsSync(path.join(folder, file)), `${name}: ${file}`);
    assert.match(entry.require?.types ?? "", /\.d\.cts$/);
  }
});

test("declarations are not checked again by a user's compiler and name no library that it may lack", () => {
  for (const file of filesUnder(folder, ".", /\.d\.c?ts$/)) {
    if (/^dist\/node_modules\/(@types\/node|undici-types)\//.test(file)) continue;
    const text = read(file);
    assert.ok(text.startsWith("// @ts-nocheck\n"), file);
    assert.doesNotMatch(text, /reference (types|lib=.esnext\.disposable)/, file);
  }
});

test("the copied tfjs computes on TensorFlow and on WebAssembly, for import and for require", async () => {
  const work = temporaryFolder();
  const script = path.join(work, "script.mjs");
  const entry = pathToFileURL(path.join(folder, "dist/src/index.js")).href;
  const commonJs = JSON.stringify(path.join(folder, "dist/src/index.cjs"));
  // What npm would install beside the package is found in the checkout.
  writeFileSync(
    script,
    `import { createRequire, Module } from "node:module";
     import { add, ready, runtimeInfo, tensor } from ${JSON.stringify(entry)};
     await ready();
     const same = createRequire(import.meta.url)(${commonJs}).add === add;
     console.log(runtimeInfo().backend, add(tensor([1, 2]), 1).dataSync().join(), same);`,
  );
  symlinkSync(path.resolve("node_modules"), path.join(parent, "node_modules"));
  for (const backend of ["tensorflow", "wasm"]) {
    const { status, stdout, stderr } = await start([script], { HALFTONE_BACKEND: backend }).ended;
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${backend} 2,3 true\n`, stderr: "" });
  }
});

test("Yarn's Plug'n'Play is refused by a sentence that says what to do", async () => {
  // As its loader: it finds no package that a package.json does not name.
  const loader = `
    import Module from "node:module";
    Object.defineProperty(process, "versions", { value: { ...process.versions, pnp: "3" } });
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (name, ...rest) => {
      if (name.startsWith("@tensorflow/")) throw new Error("it isn't declared");
      return resolve(name, ...rest);
    };`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(loader)}` };
  const sentence = /^Halftone does not work with Yarn's Plug'n'Play\. Run `yarn config set nodeLinker node-modules`/m;
  const command = await start([path.join(folder, "dist/src/cli/main.js"), "doctor"], env).ended;
  assert.match(command.stderr, new RegExp(`${sentence.source}.*\n$`));
  assert.deepEqual([command.status, command.stdout], [2, ""]);
  for (const file of ["index.js", "index.cjs"]) {
    const imported = await start([path.join(folder, "dist/src", file)], env).ended;
    assert.match(imported.stderr, /UserError: Halftone does not work with Yarn's Plug'n'Play/);
  }
});
