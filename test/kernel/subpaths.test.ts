import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook } from "./fixture.ts";

const root = path.resolve(fileURLToPath(import.meta.url), "../../../..");
const folder = temporaryFolder();

const subpaths = ["nn", "data", "train", "batching", "plot", "memory", "amp", "storage", "display"];
const namespaces = `{ ${subpaths.join(", ")} }`;

/** A script whose value is whether each subpath has exports, all of them the root's own. */
const sharesTheRoot = `Object.values(${namespaces}).every(
  (module) => Object.keys(module).length > 0 && Object.entries(module).every(([name, value]) => root[name] === value),
)`;

test("package.json exports each subpath with its types", () => {
  const { exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  for (const name of subpaths)
    assert.deepEqual(exports[`./${name}`], {
      types: `./dist/src/${name}/index.d.ts`,
      default: `./dist/src/${name}/index.js`,
    });
});

test("cells import subpaths, checked, as the same modules as the root", async () => {
  const { run } = openNotebook({ cwd: folder, types: { policy: "error", patience: 120_000 } });
  await run('import * as modules from "halftone"; const root: Record<string, unknown> = { ...modules };');
  for (const name of subpaths) await run(`import * as ${name} from "halftone/${name}"`);
  const ran = await run(sharesTheRoot);
  assert.equal(ran.error, undefined, ran.error?.traceback.join("\n"));
  assert.equal(ran.text, "true");
  assert.equal((await run('require("halftone/nn").linear === nn.linear')).text, "true");
  const { error } = await run('import { linear } from "halftone/nn"; linear(1);');
  assert.match(error!.evalue, /^linear: expected one object of options/);
});

test("a subpath that is not there is a type error that lists those that are", async () => {
  const { run } = openNotebook({ cwd: folder, types: { policy: "error", patience: 120_000 } });
  const { error } = await run('import { linear } from "halftone/layers"');
  assert.match(error!.traceback.join("\n"), /halftone has the modules halftone\/amp, .*halftone\/nn/);
  assert.doesNotMatch(error!.traceback.join("\n"), /%install/);
});

test("scripts import and require subpaths as the same modules as the root", () => {
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(root, path.join(folder, "node_modules/halftone"), "junction");
  const imports = subpaths.map((name) => `import * as ${name} from "halftone/${name}";`).join("\n");
  const requires = subpaths.map((name) => `const ${name} = require("halftone/${name}");`).join("\n");
  const scripts = {
    "script.mjs": `import * as root from "halftone";\n${imports}\nconsole.log(${sharesTheRoot});`,
    "script.cjs": `const root = require("halftone");\n${requires}\nconsole.log(${sharesTheRoot});`,
  };
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(path.join(folder, name), text);
    const { stdout, stderr } = spawnSync(process.execPath, [name], { cwd: folder, encoding: "utf8" });
    assert.equal(stdout, "true\n", stderr);
  }
});

test("a TypeScript program finds the types of subpaths", () => {
  const program = path.join(folder, "program.mts");
  const uses = subpaths.map((name) => `import * as ${name} from "halftone/${name}";`).join("\n");
  writeFileSync(program, `${uses}\nexport const all = ${namespaces};\nnn.linear(1);\n`);
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--ignoreConfig", "--module", "nodenext", "--target", "es2022", "--skipLibCheck"];
  const types = ["--types", "node", "--typeRoots", path.join(root, "node_modules/@types")];
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, ...types, program], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.match(
    stdout,
    /^program\.mts\(11,11\): error TS2345: Argument of type 'number' is not assignable to parameter of type 'LinearOptions<[^\n]*\s*$/,
  );
});
