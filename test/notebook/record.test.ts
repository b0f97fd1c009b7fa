import assert from "node:assert/strict";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { startRecord } from "../../src/notebook/environment.ts";
import { type Notebook, parseNotebook, writeNotebook } from "../../src/notebook/nbformat.ts";
import { runRecord } from "../../src/notebook/record.ts";
import { renderLanding, renderPage } from "../../src/notebook/report/index.ts";
import { runNotebook } from "../../src/notebook/run.ts";
import { verifyNotebook } from "../../src/notebook/verify.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { code, notebookJson } from "./cells.ts";

const SECRET = "s3cr3t-value";
const secrets = [
  ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "NPM_TOKEN", "NODE_AUTH_TOKEN"],
  ["HF_TOKEN", "OPENAI_API_KEY", "WANDB_API_KEY", "KAGGLE_KEY", "DATABASE_URL", "PGPASSWORD", "TF_VAR_db_password"],
  ["TF_TOKEN_app_terraform_io", "TF_CLI_ARGS", "TF_XLA_FLAGS", "OMP_SECRET", "NVIDIA_API_KEY", "HALFTONE_TOKEN"],
  ["CUDA_VISIBLE_DEVICES_TOKEN", "NODE_OPTIONS", "LD_PRELOAD", "SSH_AUTH_SOCK", "PIP_INDEX_URL", "TF_CONFIG"],
].flat();

const notebook = (...cells: Parameters<typeof notebookJson>[0]) => parseNotebook(notebookJson(cells), "a.ipynb");

test("a record holds only listed variables with valid values", () => {
  const env = {
    ...Object.fromEntries(secrets.map((name) => [name, SECRET])),
    NODE_OPTIONS: "--require /home/me/private.js",
    TF_NUM_INTRAOP_THREADS: "2",
    TF_ENABLE_ONEDNN_OPTS: "0",
    OMP_NUM_THREADS: SECRET,
    HALFTONE_BACKEND: "wasm",
  };
  const record = startRecord(notebook(code("1")), { folder: os.tmpdir(), env });
  assert.deepEqual(record.variables, {
    HALFTONE_BACKEND: "wasm",
    TF_ENABLE_ONEDNN_OPTS: "0",
    TF_NUM_INTRAOP_THREADS: "2",
  });
  assert.doesNotMatch(JSON.stringify(record), new RegExp(`${SECRET}|private\\.js`));
});

test("a report of a notebook that already holds secrets shows none of them", async () => {
  const page = await renderPage(recorded({ variables: Object.fromEntries(secrets.map((name) => [name, SECRET])) }), {
    name: "a",
    folder: os.tmpdir(),
  });
  assert.doesNotMatch(page, new RegExp(SECRET));
});

test("verify takes only listed variables from a file", async () => {
  const folder = temporaryFolder();
  const names = ["LD_PRELOAD", "PATH", "NODE_OPTIONS", "BASH_ENV", "NODE_PATH", "TF_ENABLE_ONEDNN_OPTS"];
  const cell = code(`JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name] ?? null))`);
  const ran = notebook(cell);
  await runNotebook(ran, { name: "a.ipynb", folder, env: { ...process.env, TF_ENABLE_ONEDNN_OPTS: "0" } });
  const hostile = {
    LD_PRELOAD: "/tmp/x.so",
    PATH: "/tmp",
    NODE_OPTIONS: "--no-warnings",
    BASH_ENV: "/tmp/x",
    NODE_PATH: "/tmp",
  };
  Object.assign((ran.metadata.halftone as { variables: object }).variables, hostile);
  const file = path.join(folder, "a.ipynb");
  writeNotebook(file, ran);
  const { differing, compared } = await verifyNotebook(file, { folder });
  assert.equal(compared, 1);
  assert.deepEqual(differing, []);
});

function recorded(record: object): Notebook {
  const made = notebook(code("1"));
  made.metadata.halftone = { status: "ok", start: "2026-01-01T00:00:00Z", ...record };
  return made;
}

test("malformed fields of a record are left out", async () => {
  const hostile = recorded({
    status: 'ok"><img src=x>',
    start: "yesterday",
    cpu: { model: 3 },
    git: "abc",
    inputs: [1],
    runtime: { backend: "wasm", threads: "8; rm" },
    node: "v24.0.0",
  });
  assert.deepEqual(JSON.parse(JSON.stringify(runRecord(hostile))), { node: "v24.0.0" });
  for (const metadata of [undefined, 3, "x", null, []]) {
    assert.equal(runRecord({ ...hostile, metadata: { halftone: metadata } }), undefined);
  }
  const record = runRecord(hostile)!;
  const landing = await renderLanding([{ title: "a", page: "a.html", notebook: "a.ipynb", record }]);
  assert.match(landing, /<span class="state running">unfinished<\/span>/);
  assert.doesNotMatch(landing.slice(landing.indexOf("<main"), landing.indexOf("</main>")), /undefined|<img src=x/);
});
