import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import type { RunRecord } from "../../src/notebook/record.ts";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { halftone } from "./halftone.ts";

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

test("the executed notebook and its page record the run's code, data, seeds, library and machine", async () => {
  const folder = temporaryFolder();
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", ...args], { encoding: "utf8" });
  writeFileSync(path.join(folder, "rows.csv"), "a,b\n1,2\n");
  const file = writeCells(folder, "a.ipynb", [
    code("let seed = 7;", "parameters"),
    code('import { runtimeInfo } from "halftone"; "rows.csv"; console.log(runtimeInfo().library?.path)'),
  ]);
  git("init", "-q");
  git("add", ".");
  git("commit", "-q", "-m", "a");
  const { status, stderr } = await halftone(["run", file, "-o", path.join(folder, "out.ipynb")]);
  assert.equal(status, 0, stderr);
  assert.equal((await halftone(["report", path.join(folder, "out.ipynb")])).status, 0);

  const executed = JSON.parse(readFileSync(path.join(folder, "out.ipynb"), "utf8")) as {
    metadata: { halftone: RunRecord };
    cells: { outputs: { text: string[] }[] }[];
  };
  const record = executed.metadata.halftone;
  const library = [executed.cells[1]!.outputs[0]!.text].flat().join("").trim();
  assert.equal(record.runtime?.librarySha256, library === "undefined" ? undefined : await sha256(library));
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as RunRecord;
  const shown: [string, string | number | undefined][] = [
    ["commit", git("rev-parse", "HEAD").trim()],
    ["data", createHash("sha256").update("a,b\n1,2\n").digest("hex")],
    ["seeds", "seed = 7"],
    ["library", record.runtime?.librarySha256 ?? record.runtime?.backend],
    ["device", record.runtime?.device],
    ["threads", record.runtime?.threads],
    ["Halftone", version],
    ["Node", process.version],
    ["processor", os.cpus()[0]!.model.trim()],
    ["source", record.source.sha256],
  ];
  const page = readFileSync(path.join(folder, "out.html"), "utf8");
  const facts = page.slice(page.indexOf('<section class="facts"'));
  for (const [what, value] of shown) assert.ok(value !== undefined && facts.includes(`${value}`), `${what}: ${value}`);
  assert.deepEqual(record.git, { commit: shown[0]![1], dirty: false });
  assert.equal(record.inputs["rows.csv"]?.sha256, shown[1]![1]);
});
