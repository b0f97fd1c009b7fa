import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readMagics } from "../../kernel/magics/rewrite.ts";
import { whyNpmFailed } from "../../kernel/session/packages/npm.ts";
import { lockPackages } from "../../src/notebook/lock.ts";
import { importedPackages } from "../../src/notebook/packages.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook, type Ran } from "./fixture.ts";
import { startRegistry } from "./registry.ts";

const script = { scripts: { install: "node build.js" } };
const build = "require('fs').writeFileSync(__dirname + '/built.js', 'module.exports = 42')";
const settings = await startRegistry([
  {
    name: "@scope/typed",
    version: "1.0.0",
    files: { "index.js": "exports.one = 1;", "index.d.ts": "export const one: 1;" },
  },
  {
    name: "@scope/typed",
    version: "2.1.0",
    files: {
      "index.js": "exports.two = require('inner').value;",
      "index.d.ts": "export const two: 2;",
      "sub.js": "module.exports = 'sub';",
      "sub.d.ts": "declare const sub: string; export default sub;",
    },
    manifest: { dependencies: { inner: "^1.0.0" } },
  },
  { name: "inner", version: "1.2.0", files: { "index.js": "exports.value = 2;" } },
  { name: "plain", version: "3.0.0", files: { "index.js": "exports.text = 'plain';" } },
  { name: "@types/plain", version: "3.0.1", files: { "index.d.ts": "export const text: string;" } },
  {
    name: "native",
    version: "1.0.0",
    files: { "index.js": "exports.built = require('./built.js');", "build.js": build },
    manifest: script,
  },
  { name: "broken", version: "1.0.0", files: { "build.js": "process.exit(7)" }, manifest: script },
  {
    name: "@jsr/std__path",
    version: "1.0.0",
    files: { "index.js": "exports.sep = '/';", "index.d.ts": "export const sep: string;" },
  },
]);

const cwd = temporaryFolder();
const env = { ...process.env, ...settings, JPY_SESSION_NAME: path.join(cwd, "mine.ipynb") };
const own = path.join(cwd, ".halftone", "mine");
const { run } = openNotebook({ cwd, env, types: { policy: "error", patience: 120_000 } });

/** The texts of a cell's displays at its end. */
function displays(ran: Ran): string[] {
  const shown = new Map<string, string>();
  for (const output of ran.outputs) {
    if (output.type === "clear") shown.clear();
    else if ("data" in output && output.type !== "result")
      shown.set("displayId" in output ? output.displayId! : String(shown.size), String(output.data["text/plain"]));
  }
  return [...shown.values()].filter((text) => text !== "");
}

test("an import of npm: installs the package and what it needs, with types, beside the notebook", async () => {
  const ran = await run('import { two } from "npm:@scope/typed@2"; const sum: number = two + 1; sum');
  assert.equal(ran.text, "3");
  assert.deepEqual(displays(ran), []);
  assert.match(
    (await run("const wrong: string = two")).error?.evalue ?? "",
    /Type 'number' is not assignable to type 'string'/,
  );
  assert.deepEqual(readdirSync(own).sort(), [".gitignore", "node_modules", "package-lock.json", "package.json"]);
  assert.doesNotMatch(readFileSync(path.join(own, "package-lock.json"), "utf8"), /127\.0\.0\.1/);
  // Installed once; a further import of it, also of a subpath, asks npm for nothing.
  const again = await run('import sub from "npm:@scope/typed@2/sub"; sub');
  assert.deepEqual(
    again.outputs.map(({ type }) => type),
    ["result"],
  );
  assert.equal((await run('(await import("npm:@scope/typed@2")).two')).text, "2");
  assert.equal((await run('require("@scope/typed").two')).text, "2");
});

test("%install shows the versions, finds @types, and the package is imported in the same cell and by files", async () => {
  writeFileSync(path.join(cwd, "uses.ts"), 'import { text } from "plain"; export const upper = text.toUpperCase();');
  const ran = await run('%install plain@3 @scope/typed@2\nimport { text } from "plain"; const x: string = text; x');
  assert.equal(ran.text, "'plain'");
  assert.deepEqual(displays(ran), ["plain 3.0.0, @scope/typed 2.1.0"]);
  assert.equal((await run('import { upper } from "./uses.ts"; upper')).text, "'PLAIN'");
  assert.deepEqual(displays(await run("%install plain")), ["plain 3.0.0"]);
});

test("a lock and a record of the notebook know the packages that its cells installed", () => {
  const source = 'import { two } from "npm:@scope/typed@2"; import "plain"; import "halftone"';
  const cell = { id: "a", cell_type: "code" as const, source, metadata: {}, outputs: [], execution_count: null };
  const notebook = { nbformat: 4 as const, nbformat_minor: 5, metadata: {}, cells: [cell] };
  const found = importedPackages(notebook, { folder: cwd, file: path.join(cwd, "mine.ipynb") });
  const installed = found.filter(({ root }) => root === own).map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(installed, ["@scope/typed 2.1.0", "plain 3.0.0"]);
  const { packages, halftone } = lockPackages(notebook, "mine", { folder: cwd, file: path.join(cwd, "mine.ipynb") });
  const locked = [
    "",
    "node_modules/@scope/typed",
    "node_modules/@types/plain",
    "node_modules/inner",
    "node_modules/plain",
  ];
  assert.deepEqual(Object.keys(packages).sort(), locked);
  assert.ok(halftone.whole);
});

test("an install script runs only for a package that is allowed by name", async () => {
  const [version, note] = displays(await run("%install native"));
  assert.equal(version, "native 1.0.0");
  assert.match(note ?? "", /^native has an install script, which did not run\..*: %install --scripts native native$/);
  // Said once: the next install does not repeat it. JSR's packages come from its mirror for npm.
  const ofJsr = await run('import { sep } from "jsr:@std/path@1"; sep');
  assert.deepEqual([ofJsr.text, displays(ofJsr)], ["'/'", []]);
  assert.match((await run('require("native")')).error?.evalue ?? "", /built\.js/);
  assert.deepEqual(displays(await run("%install --scripts native native")), ["native 1.0.0"]);
  assert.equal((await run('require("native").built')).text, "42");
});

test("what cannot be installed is a sentence, and leaves what was there", async () => {
  const before = execFileSync("ls", ["-AR", own], { encoding: "utf8" });
  const why = async (line: string) => {
    const ran = await run(line);
    assert.deepEqual(displays(ran), []);
    assert.equal(ran.outcome.status, "error");
    return ran.error?.evalue;
  };
  assert.equal(await why("%install no-such-package"), "npm's registry has no package no-such-package");
  assert.equal(await why('import x from "npm:plain@9"'), "plain@9 does not exist");
  assert.match(
    (await why("%install --scripts broken broken")) ?? "",
    /^the install script of broken failed, so nothing was installed: /,
  );
  assert.match((await why("%install Big Name")) ?? "", /^"Big" is not the name of an npm package, such as lodash/);
  assert.match(
    (await why("%install plain@file:../x")) ?? "",
    /is not a version of plain|is not the name of an npm package/,
  );
  assert.match((await why("%install --global plain")) ?? "", /%install has no option --global/);
  const two = "one notebook has one version of plain, and this cell asks for 3 and 9";
  assert.equal(await why("%install plain@3 plain@9"), two);
  assert.match(
    (await why('import "jsr:std/path"')) ?? "",
    /^"std\/path" is not the name of a JSR package, such as @std/,
  );
  assert.match((await why('import "plain@3"')) ?? "", /^Cannot find module/);
  const network = /^'https:.*lodash@4' cannot be imported, .* It may be on npm or JSR too, as "npm:lodash@4"; or save/;
  assert.match((await why('import x from "https://cdn.example/lodash@4"')) ?? "", network);
  assert.equal(execFileSync("ls", ["-AR", own], { encoding: "utf8" }), before);
});

test("a package whose lock names another version than the one that is there is installed; a change is said", async () => {
  const files = ["package.json", "package-lock.json"].map((name) => path.join(own, name));
  const before = files.map((file) => readFileSync(file));
  const [changed] = displays(await run('import { one } from "npm:@scope/typed@1"; one'));
  assert.match(changed!, /^@scope\/typed 1\.0\.0 took the place of 2\.1\.0, which stays in memory/);
  // As git does that gets a colleague's files.
  for (const [index, file] of files.entries()) writeFileSync(file, before[index]!);
  const [restored] = displays(await run('import { two } from "npm:@scope/typed@2"; two'));
  assert.match(restored!, /^@scope\/typed 2\.1\.0 took the place of 1\.0\.0/);
});

test("npm's reasons are said in a sentence", () => {
  const error = (code: string, ...lines: string[]) =>
    whyNpmFailed([`npm error code ${code}`, ...lines.map((each) => `npm error ${each}`)]);
  assert.match(
    error("EAI_AGAIN", "request to ... failed"),
    /^npm cannot reach its registry \(EAI_AGAIN\): connect to a network/,
  );
  const jsr = error(
    "E404",
    "404 Not Found - GET",
    "404  The requested resource '@jsr/std__path@1' could not be found or you do not have permission",
  );
  assert.match(jsr, /^npm does not find JSR's package @jsr\/std__path: npm's setting @jsr:registry/);
  assert.match(
    error("ERESOLVE", "ERESOLVE could not resolve", "peer a@1 from b@2"),
    /^the packages do not fit together: peer a@1 from b@2$/,
  );
});

test("specifiers keep their place, and only imports ask for packages", () => {
  const code =
    'import a, { b } from "npm:x@1/y"; const text = "npm:z";\n// import "npm:w"\nexport * from \'npm:@s/v\';';
  const { code: plain, install } = readMagics(code);
  assert.equal(
    plain,
    'import a, { b } from "x/y"      ; const text = "npm:z";\n// import "npm:w"\nexport * from \'@s/v\'    ;',
  );
  assert.deepEqual(install?.packages, [{ name: "@s/v" }, { name: "x", range: "1" }]);
  assert.equal(readMagics('import x from "npm:lo').install, undefined);
});

test("halftone export and check read npm: specifiers as the packages that they name", () => {
  const cell = {
    cell_type: "code",
    id: "a",
    source: 'import { two } from "npm:@scope/typed@2"; two',
    metadata: {},
    outputs: [],
  };
  const notebook = { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [{ ...cell, execution_count: null }] };
  writeFileSync(path.join(cwd, "mine.ipynb"), JSON.stringify(notebook));
  const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
  const halftone = (...args: string[]) =>
    execFileSync(process.execPath, [main, ...args], { cwd, encoding: "utf8", env, stdio: "pipe" });
  assert.equal(halftone("check", "mine.ipynb"), "");
  assert.match(halftone("export", "mine.ipynb", "-o", "-"), /^import \{ two \} from "@scope\/typed"; two$/m);
  assert.ok(existsSync(own));
});
