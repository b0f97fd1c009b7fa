import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Session } from "../../kernel/session/session.ts";
import * as halftone from "../../src/index.ts";
import { runIn } from "../kernel/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { codeBlocks } from "./blocks.ts";

// On every CPU TensorFlow then has to say what it says by itself on some: "oneDNN custom operations are on".
process.env.TF_ENABLE_ONEDNN_OPTS = "1";

const docs = fileURLToPath(new URL("../../../docs", import.meta.url));
const folder = temporaryFolder();

const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
const blocksOf = (name: string) => codeBlocks(path.join(docs, name)).filter(({ info }) => info !== "ts tslab");
const withSamples = pages.filter((name) => blocksOf(name).length > 0);

test("the guides have samples", () => {
  for (const name of ["from-pytorch.md", "from-tslab.md", "numbers.md"]) assert.ok(withSamples.includes(name), name);
});

for (const name of withSamples) {
  test(`each sample of docs/${name} runs, says what stands below it, or is refused where the text says so`, async () => {
    const blocks = blocksOf(name);
    await using session = Session.start({ cwd: folder, types: { policy: "error", patience: 60_000 } });
    for (const { info, code, says } of blocks) {
      const { outcome, error, text, stderr, outputs, comms } = await runIn(session, code);
      assert.ok(
        comms.every(({ target = "jupyter.widget" }) => target === "jupyter.widget"),
        code,
      );
      const what = `${code}\n${error?.traceback.join("\n") ?? ""}${stderr}`;
      assert.equal(outcome.status, info === "ts refused" ? "error" : "ok", what);
      if (info === "ts refused") assert.equal(error?.ename, "TypeScriptError", what);
      else assert.equal(stderr, "", what);
      // What a sample prints or displays on the way is its own.
      const kinds = outputs.map(({ type }) => type);
      assert.equal(kinds.filter((kind) => kind === "error").length, info === "ts refused" ? 1 : 0, what);
      if (says !== undefined) assert.equal(text, says, code);
    }
  });
}

test("what the table beside PyTorch's names calls is there", () => {
  const rows = readFileSync(path.join(docs, "from-pytorch.md"), "utf8").matchAll(/^\| `.*\| (.*) \|$/gm);
  const called = [...rows].flatMap(([, ours]) =>
    [...ours!.matchAll(/(?<![.\w])([a-zA-Z]+)\(/g)].map(([, name]) => name!),
  );
  assert.ok(called.length > 40, called.join());
  assert.deepEqual(
    called.filter((name) => !(name in halftone)),
    [],
  );
});
