import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { temporaryFolder } from "../temporary-folder.ts";

const prefix = temporaryFolder();
const folder = path.join(prefix, "share/jupyter/kernels/halftone");
const halftone = (...args: string[]): string =>
  execFileSync(process.execPath, ["dist/src/cli/main.js", ...args], {
    encoding: "utf8",
    env: {
      ...process.env,
      JUPYTER_PATH: path.join(prefix, "share/jupyter"),
      JUPYTER_DATA_DIR: path.join(prefix, "data"),
    },
  });

test("install writes a kernelspec that starts this kernel, with logos of the sizes that Jupyter asks for", () => {
  assert.match(halftone("install", "--prefix", prefix), /Installed TypeScript \(Halftone\) in /);
  const spec = JSON.parse(readFileSync(path.join(folder, "kernel.json"), "utf8"));
  assert.equal(spec.display_name, "TypeScript (Halftone)");
  assert.equal(spec.language, "typescript");
  assert.equal(spec.interrupt_mode, "message");
  assert.equal(spec.env.TF_FORCE_GPU_ALLOW_GROWTH, "true");
  assert.equal(spec.argv.at(-1), "{connection_file}");
  for (const file of spec.argv.slice(0, 2)) assert.ok(existsSync(file), file);
  for (const size of [32, 64]) {
    const png = readFileSync(path.join(folder, `logo-${size}x${size}.png`));
    // Width and height stand at bytes 16 and 20 of a PNG (RFC 2083).
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [size, size]);
  }
  assert.match(readFileSync(path.join(folder, "logo-svg.svg"), "utf8"), /^<svg /);
});

test("several processes can install at once while Jupyter reads the kernelspec", async () => {
  // In a process each, so that they are at it at the same time.
  const installing = `
    import { install } from ${JSON.stringify(new URL("../../kernel/kernelspec/kernelspec.js", import.meta.url))};
    for (let i = 0; i < 200; i++) install({ kind: "prefix", folder: ${JSON.stringify(prefix)} });`;
  const processes = Array.from({ length: 3 }, () =>
    promisify(execFile)(process.execPath, ["--input-type=module", "--eval", installing], { timeout: 120_000 }),
  );
  let done = false;
  const all = Promise.all(processes).finally(() => {
    done = true;
  });
  while (!done) {
    assert.equal(JSON.parse(readFileSync(path.join(folder, "kernel.json"), "utf8")).language, "typescript");
    await setTimeout(1);
  }
  await all;
  assert.deepEqual(readdirSync(folder), ["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]);
  assert.deepEqual(readdirSync(path.dirname(folder)), ["halftone"]);
});

test("list shows the folder, and uninstall removes it", () => {
  assert.ok(halftone("list").includes(`${folder}  (used by Jupyter)`));
  assert.ok(halftone("uninstall", "--prefix", prefix).includes(`Removed ${folder}`));
  assert.ok(!existsSync(folder));
  assert.match(halftone("uninstall", "--prefix", prefix), /Nothing to remove/);
});

test("two install locations at once are an error", () => {
  assert.throws(
    () => halftone("install", "--sys-prefix", "--prefix", prefix),
    ({ stderr }: { stderr: string }) =>
      /--sys-prefix and --prefix cannot be combined/.test(stderr) && !/\n {4}at /.test(stderr),
  );
});

test("an empty prefix, as from an unset variable, is an error, and nothing is written", () => {
  assert.throws(
    () => halftone("install", "--prefix", ""),
    ({ stderr, status }: { stderr: string; status: number }) => status === 2 && /--prefix needs a folder/.test(stderr),
  );
});

test("install reports packages that Jupyter lacks for figures, with the command to install them, and figures fall back to images", () => {
  const own = temporaryFolder();
  const python = path.join(own, "bin", "python3");
  const spec = path.join(own, "share/jupyter/kernels/halftone/kernel.json");
  mkdirSync(path.dirname(python), { recursive: true });
  /** A Python that has these packages. */
  const having = (names: string) => {
    const script = `#!/bin/sh\ncase "$2" in *find_spec*) echo "${names}";; *) echo "${own}/site-packages";; esac\n`;
    writeFileSync(python, script, { mode: 0o755 });
    const said = halftone("install", "--prefix", own);
    return { said, figures: JSON.parse(readFileSync(spec, "utf8")).env.HALFTONE_FIGURES };
  };
  const bare = having("jupyter_server");
  assert.match(
    bare.said,
    /The Jupyter there lacks plotly and ipywidgets: figures are shown as still images, widgets are shown as text\./,
  );
  assert.ok(bare.said.includes(`\n  ${python} -m pip install plotly ipywidgets\n`), bare.said);
  assert.equal(bare.figures, "image");
  const half = having("jupyter_server plotly");
  assert.ok(half.said.includes(`\n  ${python} -m pip install ipywidgets\n`), half.said);
  assert.equal(half.figures, undefined);
  assert.doesNotMatch(having("notebook plotly ipywidgets").said, /lacks/);
  assert.doesNotMatch(having("").said, /lacks/);
});

for (const [manager, venv, shebang] of [
  ["pipx", ".local/share/pipx/venvs/jupyterlab", false],
  ["uv", ".local/share/uv/tools/jupyterlab", false],
  ["conda", "miniforge3", false],
  ["a command on the PATH", "elsewhere", true],
] as const)
  test(`install names the Jupyter of ${manager}`, () => {
    const home = temporaryFolder();
    const python = path.join(home, venv, "bin/python3");
    mkdirSync(path.dirname(python), { recursive: true });
    const script = (names: string) =>
      `#!/bin/sh\ncase "$2" in *find_spec*) echo "${names}";; *) echo "${home}/packages";; esac\n`;
    writeFileSync(python, script("jupyter_server plotly ipywidgets"), { mode: 0o755 });
    const commands = path.join(home, "commands");
    mkdirSync(commands);
    writeFileSync(path.join(commands, "python3"), script(""), { mode: 0o755 });
    if (shebang) writeFileSync(path.join(commands, "jupyter-lab"), `#!${python}\n`, { mode: 0o755 });
    const { VIRTUAL_ENV, CONDA_PREFIX, ...env } = process.env;
    const output = execFileSync(process.execPath, ["dist/src/cli/main.js", "install"], {
      encoding: "utf8",
      env: { ...env, HOME: home, PATH: `${commands}:/bin`, JUPYTER_DATA_DIR: path.join(home, "data") },
    });
    assert.ok(output.includes(`Jupyter runs on ${python}\n`), output);
  });
