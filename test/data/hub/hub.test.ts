import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type HubOptions, hubSnapshot } from "../../../src/index.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { HubServer, type ServedFile } from "./hub-server.ts";

const name = "acme/tiny-bert";
const weights = Buffer.alloc(300_000, "0123456789");
const files: Record<string, ServedFile> = {
  ".gitattributes": { contents: Buffer.from("*.safetensors filter=lfs") },
  "1_Pooling/config.json": { contents: Buffer.from('{"pooling_mode_mean_tokens": true}') },
  "config.json": { contents: Buffer.from('{"model_type": "bert"}') },
  "model.safetensors": { contents: weights, isLarge: true },
  "onnx/model.safetensors": { contents: weights, isLarge: true },
  "tokenizer.json": { contents: Buffer.from('{"version": "1.0", "text": "çà"}') },
};
const downloaded = ["1_Pooling", "1_Pooling/config.json", "config.json", "model.safetensors", "tokenizer.json"];

describe("hubSnapshot", () => {
  let server: HubServer;
  let cacheFolder: string;
  const variables = ["HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_DOWNLOAD_TIMEOUT"];
  const saved = variables.map((variable) => [variable, process.env[variable]] as const);
  const snapshot = (options: HubOptions = {}) =>
    hubSnapshot(name, { endpoint: server.endpoint, cacheFolder, ...options });
  const inCache = (...parts: string[]) => path.join(cacheFolder, "models--acme--tiny-bert", ...parts);
  const unfinished = () => `${server.hashOf("model.safetensors")}.halftone.incomplete`;

  beforeEach(async () => {
    for (const variable of variables) delete process.env[variable];
    server = await new HubServer(name, files).listen();
    cacheFolder = temporaryFolder();
  });
  afterEach(async () => {
    await server.close();
    for (const [variable, value] of saved) {
      if (value === undefined) delete process.env[variable];
      else process.env[variable] = value;
    }
  });

  test("downloads what a model needs into the layout of Python's cache", async () => {
    const folder = await snapshot();
    assert.equal(folder, inCache("snapshots", server.commit));
    assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), downloaded);
    for (const file of ["config.json", "1_Pooling/config.json", "model.safetensors", "tokenizer.json"]) {
      assert.deepEqual(readFileSync(path.join(folder, file)), files[file]!.contents);
      const up = file.includes("/") ? "../../.." : "../..";
      assert.equal(readlinkSync(path.join(folder, file)), `${up}/blobs/${server.hashOf(file)}`);
    }
    assert.equal(readFileSync(inCache("refs", "main"), "utf8"), server.commit);
    assert.equal(readdirSync(inCache("blobs")).length, 4);
  });

  test("downloads nothing twice, also for another revision of the same contents", async () => {
    await snapshot();
    const before = server.requests.length;
    await snapshot({ revision: server.commit });
    assert.deepEqual(
      server.requests.slice(before).filter(({ path }) => !path.startsWith("/api/")),
      [],
    );
  });

  test("reads HF_ENDPOINT, HF_TOKEN and HF_HUB_CACHE", async () => {
    server.token = "hf_secret";
    Object.assign(process.env, {
      HF_ENDPOINT: `${server.endpoint}/`,
      HF_TOKEN: "hf_secret",
      HF_HUB_CACHE: cacheFolder,
    });
    assert.equal(await hubSnapshot(name), inCache("snapshots", server.commit));
  });

  test("does not send the token to the storage's host", async () => {
    server.token = "hf_secret";
    await snapshot({ token: "hf_secret" });
    const toStorage = server.requests.filter(({ path }) => path === "/model.safetensors");
    assert.deepEqual(
      toStorage.map(({ authorization }) => authorization),
      [undefined],
    );
  });

  test("downloads the files that are asked for", async () => {
    const folder = await snapshot({ files: ["config.json", "tokenizer*.json"] });
    assert.deepEqual(readdirSync(folder).sort(), ["config.json", "tokenizer.json"]);
  });

  test("reports the progress in bytes of all files", async () => {
    const heard: string[] = [];
    await snapshot({ onProgress: ({ file, bytes, total }) => heard.push(`${file} ${bytes}/${total}`) });
    const total = downloaded.reduce((sum, file) => sum + (files[file]?.contents.length ?? 0), 0);
    assert.equal(heard.at(-1), `tokenizer.json ${total}/${total}`);
    assert.ok(heard.some((line) => line.startsWith("model.safetensors ")));
  });

  test("continues a transfer that was cut where it stopped", async () => {
    server.faults["model.safetensors"] = { cut: { after: 100_000, times: 2 } };
    const folder = await snapshot();
    assert.deepEqual(readFileSync(path.join(folder, "model.safetensors")), weights);
    const ranges = server.rangesOf("model.safetensors");
    assert.equal(ranges[0], "bytes=0-");
    assert.equal(ranges.length, 3);
    for (const range of ranges.slice(1)) assert.notEqual(range, "bytes=0-");
  });

  test("continues in a later call what an earlier one left", async () => {
    server.faults["model.safetensors"] = { cut: { after: 50_000, times: 1 } };
    const stop = new AbortController();
    const onProgress: HubOptions["onProgress"] = ({ file }) => {
      if (file === "model.safetensors") stop.abort();
    };
    await assert.rejects(snapshot({ onProgress, signal: stop.signal }), { name: "AbortError" });
    assert.equal(existsSync(inCache("snapshots")), false);
    const size = readFileSync(inCache("blobs", unfinished())).length;
    assert.ok(size > 0);
    await snapshot();
    assert.equal(server.rangesOf("model.safetensors").at(-1), `bytes=${size}-`);
  });

  test("starts again where the server does not continue", async () => {
    server.faults["model.safetensors"] = { cut: { after: 100_000, times: 1 }, ignoresRanges: true };
    const folder = await snapshot();
    assert.deepEqual(readFileSync(path.join(folder, "model.safetensors")), weights);
  });

  test("gives up a file of which the server always sends less than it states", { timeout: 20_000 }, async () => {
    files["generation_config.json"] = { contents: Buffer.from("{}"), statedSize: 12 };
    server.faults["generation_config.json"] = { ignoresRanges: true };
    try {
      await assert.rejects(
        snapshot(),
        /generation_config.json of acme\/tiny-bert was cut at 2 B of 12 B.+ended it early/s,
      );
    } finally {
      delete files["generation_config.json"];
    }
  });

  test("gives up a transfer that is cut before its first byte each time, and keeps what is there", async () => {
    await snapshot({ files: ["config.json"] });
    server.faults["model.safetensors"] = { cut: { after: 0, times: 99 } };
    await assert.rejects(
      snapshot({ files: ["model.safetensors"] }),
      /model.safetensors of acme\/tiny-bert was cut at 0 B of 293 KiB.+127\.0\.0\.1:\d+.+ The cache .+models--acme--tiny-bert has commit \w{12} and has 0 B of an unfinished download/s,
    );
  });

  test("ends a transfer of which nothing arrives for HF_HUB_DOWNLOAD_TIMEOUT seconds", async () => {
    process.env.HF_HUB_DOWNLOAD_TIMEOUT = "0.05";
    server.faults["tokenizer.json"] = { stalls: true };
    await assert.rejects(snapshot(), /no answer for 0.05 s/);
  });

  test("deletes a file with the wrong hash, and says both hashes", async () => {
    server.faults["model.safetensors"] = { isDamaged: true };
    await assert.rejects(
      snapshot(),
      new RegExp(`model.safetensors of acme/tiny-bert has hash \\w{64} and not ${server.hashOf("model.safetensors")}`),
    );
    assert.equal(existsSync(inCache("blobs", unfinished())), false);
    assert.equal(existsSync(inCache("snapshots")), false);
    delete server.faults["model.safetensors"];
    await snapshot();
  });

  test("finds a wrong hash in what an earlier call left", async () => {
    await snapshot({ files: ["config.json"] });
    writeFileSync(inCache("blobs", unfinished()), "not the beginning of the file");
    await assert.rejects(snapshot(), /try again/);
    await snapshot();
  });

  test("names the model, revision or file that the hub does not have", async () => {
    await assert.rejects(
      hubSnapshot("acme/tiny-bart", { endpoint: server.endpoint, cacheFolder }),
      /has no model acme\/tiny-bart, or it is private \(404\): check the name, or set HF_TOKEN/,
    );
    await assert.rejects(snapshot({ revision: "v2" }), /acme\/tiny-bert has no revision v2/);
    await assert.rejects(
      snapshot({ files: ["config.json", "vocab.txt"] }),
      /acme\/tiny-bert has no vocab.txt at revision main; it has .gitattributes, 1_Pooling\/config.json/,
    );
    await assert.rejects(snapshot({ files: ["*.gguf"] }), /has no file that fits \*\.gguf/);
  });

  test("says what to do about a refusal", async () => {
    server.token = "hf_secret";
    await assert.rejects(snapshot(), /has no model acme\/tiny-bert, or it is private \(401\).*set HF_TOKEN/);
    await assert.rejects(
      snapshot({ token: "hf_other" }),
      /does not accept the token \(401\): set HF_TOKEN to a valid one/,
    );
    server.token = undefined;
    server.refusal = { status: 403 };
    await assert.rejects(snapshot(), /refuses acme\/tiny-bert \(403\): set HF_TOKEN to a token with read access/);
    server.refusal = { status: 403, code: "GatedRepo" };
    await assert.rejects(snapshot(), /is gated \(403\): accept its conditions at .+\/acme\/tiny-bert and set HF_TOKEN/);
    server.refusal = { status: 429 };
    await assert.rejects(snapshot(), /too many requests \(429\)/);
  });

  test("uses the cache when the hub cannot be reached", async () => {
    const folder = await snapshot();
    server.refusal = { status: 503 };
    assert.equal(await snapshot(), folder);
    server.refusal = undefined;
    await server.close();
    assert.equal(await snapshot(), folder);
    await assert.rejects(
      hubSnapshot("acme/other", { endpoint: server.endpoint, cacheFolder }),
      /cannot reach 127.0.0.1:\d+ \(ECONNREFUSED\): check the network.* The cache .+models--acme--other has nothing of it/s,
    );
  });

  test("uses the cache when what answers is no hub, and says what it is without one", async () => {
    server.page = "<html>Log in to this network</html>";
    await assert.rejects(snapshot(), {
      name: "HubError",
      message:
        /^http:\S+ does not answer as a hub does \(Unexpected token '<'.+\): check the address and the network\. The/,
    });
    server.page = undefined;
    const folder = await snapshot();
    for (const page of ["<html>", "{}", "null"]) {
      server.page = page;
      assert.equal(await snapshot(), folder);
    }
    server.page = undefined;
    server.commit = "../../../elsewhere";
    assert.equal(await snapshot(), folder);
  });

  test("names a file of the cache whose content was removed, and downloads it again", async () => {
    const folder = await snapshot();
    rmSync(realpathSync(path.join(folder, "model.safetensors")));
    await assert.rejects(snapshot({ offline: true }), {
      message: `${folder} lacks the content of model.safetensors, which something removed: download it again`,
    });
    await snapshot();
    assert.equal(await snapshot({ offline: true }), folder);
  });

  test("asks nothing when HF_HUB_OFFLINE is 1", async () => {
    process.env.HF_HUB_OFFLINE = "1";
    await assert.rejects(
      snapshot(),
      /acme\/tiny-bert at main is not in the cache, and HF_HUB_OFFLINE is set.* The cache .+ has nothing of it/,
    );
    assert.equal(server.requests.length, 0);
    const folder = await snapshot({ offline: false });
    const before = server.requests.length;
    assert.equal(await snapshot(), folder);
    assert.equal(await snapshot({ revision: server.commit }), folder);
    assert.equal(server.requests.length, before);
  });

  test("refuses a model for which the disk has no room, before the download", async () => {
    files["model-00001-of-00001.safetensors"] = { contents: Buffer.alloc(1), isLarge: true, statedSize: 2 ** 52 };
    try {
      await assert.rejects(snapshot(), /the disk is too full for acme\/tiny-bert: .+ needs 4096 TiB/);
    } finally {
      delete files["model-00001-of-00001.safetensors"];
    }
  });

  test("says why the cache cannot be written", async () => {
    writeFileSync(path.join(cacheFolder, "models--acme--tiny-bert"), "");
    await assert.rejects(snapshot(), /cannot write .+: a part of this path is a file.+set HF_HOME to another folder/);
  });

  test("downloads a file once for processes that ask at the same time", async () => {
    const child = fileURLToPath(new URL("./hub-process.js", import.meta.url));
    const ended = [0, 1, 2].map(
      () =>
        new Promise<number | null>((resolve) => {
          fork(child, [name, server.endpoint, cacheFolder]).on("exit", resolve);
        }),
    );
    assert.deepEqual(await Promise.all(ended), [0, 0, 0]);
    assert.equal(server.rangesOf("model.safetensors").length, 1);
  });

  test("rejects a name and a revision that the hub cannot have", async () => {
    for (const wrong of ["a/b/c", "../x", "a--b", "", "a/.b", "https://host/a"]) {
      await assert.rejects(hubSnapshot(wrong), /a model's name on the hub is org\/name/);
    }
    await assert.rejects(snapshot({ revision: "../../x" }), /a revision is a branch, a tag or a commit/);
    await assert.rejects(snapshot({ endpoint: "huggingface" }), /must be an address such as/);
  });

  test("rejects a file whose name leads out of the cache", async () => {
    files["../config.json"] = { contents: Buffer.from("{}") };
    try {
      await assert.rejects(snapshot({ files: ["*/config.json"] }), /a file with the name "..\/config.json"/);
    } finally {
      delete files["../config.json"];
    }
  });
});
