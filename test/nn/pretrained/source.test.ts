import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { pretrained } from "../../../src/nn/index.ts";
import { findPython } from "../../../src/runtime/setup/python.ts";
import { HubServer } from "../../data/hub/hub-server.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fixtureFolder } from "./fixture.ts";

/** Where `pretrained` found the model. */
async function foundIn(source: string, hub = {}): Promise<string> {
  const model = await pretrained(source, { hub });
  model.dispose();
  return realpathSync(model.folder);
}

describe("pretrained finds a model", () => {
  test("in a folder of a folder", async () => {
    const folder = temporaryFolder();
    cpSync(fixtureFolder("bert-model"), path.join(folder, "package/model"), { recursive: true });
    writeFileSync(path.join(folder, "package/index.js"), "");
    assert.equal(await foundIn(folder), realpathSync(path.join(folder, "package/model")));
  });

  test("in a package of npm", async () => {
    const folder = temporaryFolder();
    const own = path.join(folder, "node_modules/@acme/tiny-bert");
    cpSync(fixtureFolder("bert-model"), path.join(own, "model"), { recursive: true });
    writeFileSync(path.join(own, "package.json"), "{}");
    mkdirSync(path.join(folder, "notebooks"));
    const before = process.cwd();
    process.chdir(path.join(folder, "notebooks"));
    try {
      assert.equal(await foundIn("npm:@acme/tiny-bert"), realpathSync(path.join(own, "model")));
      await assert.rejects(() => foundIn("npm:@acme/other"), {
        message: `pretrained: the package @acme/other is not installed in ${process.cwd()}: npm install @acme/other`,
      });
    } finally {
      process.chdir(before);
    }
  });

  test("in a package of Python", { skip: !findPython() && "there is no Python" }, async () => {
    const folder = temporaryFolder();
    cpSync(fixtureFolder("bert-model"), path.join(folder, "tiny_bert/model"), { recursive: true });
    const info = path.join(folder, "halftone_tiny_bert-1.0.dist-info");
    mkdirSync(info);
    writeFileSync(path.join(info, "METADATA"), "Metadata-Version: 2.1\nName: halftone-tiny-bert\nVersion: 1.0\n");
    writeFileSync(path.join(info, "RECORD"), "tiny_bert/model/config.json,,\n");
    const before = process.env.PYTHONPATH;
    process.env.PYTHONPATH = folder;
    try {
      assert.equal(await foundIn("pip:halftone-tiny-bert"), realpathSync(path.join(folder, "tiny_bert/model")));
      await assert.rejects(() => foundIn("pip:a b"), {
        message: /a Python package is NAME or NAME==VERSION, got "a b"$/,
      });
    } finally {
      if (before === undefined) delete process.env.PYTHONPATH;
      else process.env.PYTHONPATH = before;
    }
  });

  test("on the hub", async () => {
    const contents = (file: string) => ({ contents: readFileSync(path.join(fixtureFolder("bert-model"), file)) });
    const server = await new HubServer("acme/tiny-bert", {
      "config.json": contents("config.json"),
      "model.safetensors": { ...contents("model.safetensors"), isLarge: true },
    }).listen();
    const cacheFolder = temporaryFolder();
    try {
      const folder = await foundIn("acme/tiny-bert", { endpoint: server.endpoint, cacheFolder });
      assert.ok(folder.startsWith(realpathSync(cacheFolder)), folder);
    } finally {
      await server.close();
    }
  });
});
