import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

const prefix = mkdtempSync(path.join(tmpdir(), "halftone-kernelspec-"));
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

test("list says where it is, and uninstall removes it", () => {
  assert.ok(halftone("list").includes(`${folder}  (Jupyter starts this one)`));
  assert.ok(halftone("uninstall", "--prefix", prefix).includes(`Removed ${folder}`));
  assert.ok(!existsSync(folder));
  assert.match(halftone("uninstall", "--prefix", prefix), /Nothing to remove/);
});

test("a place that is said twice is refused in a line", () => {
  assert.throws(
    () => halftone("install", "--sys-prefix", "--prefix", prefix),
    ({ stderr }: { stderr: string }) =>
      /give --sys-prefix or --prefix, not both/.test(stderr) && !/\n {4}at /.test(stderr),
  );
});
