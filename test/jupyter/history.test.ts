import assert from "node:assert/strict";
import { appendFileSync, chmodSync, statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import * as v from "valibot";
import { InputHistory } from "../../kernel/jupyter/input-history.ts";
import { requests } from "../../kernel/jupyter/messages.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function open(file = path.join(temporaryFolder(), "history.jsonl")) {
  const history = new InputHistory(file);
  const ask = (request: object) => history.answer(v.parse(requests.history_request, request));
  const sources = (request: object) => ask(request).map(([, , source]) => source);
  return { file, history, ask, sources };
}

/** Sessions are numbered by the millisecond in which they start. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
}

test("history persists across sessions, and a damaged line is skipped", async () => {
  const first = open();
  first.history.store(1, "let a = 1");
  first.history.write();
  appendFileSync(first.file, '{"session": 1, "li\n');
  first.history.store(2, "a + 1", "2");
  first.history.write();
  await nextMillisecond();
  const second = open(first.file);
  second.history.store(1, "'new'");
  assert.deepEqual(second.sources({ hist_access_type: "tail", n: 10 }), ["let a = 1", "a + 1", "'new'"]);
  assert.deepEqual(second.ask({ hist_access_type: "tail", n: 2, output: true }), [
    [first.history.session, 2, ["a + 1", "2"]],
    [second.history.session, 1, ["'new'", null]],
  ]);
});

test("a range counts sessions from the present one, and ends before its stop", async () => {
  const first = open();
  for (const line of [1, 2, 3]) first.history.store(line, `old ${line}`);
  first.history.write();
  await nextMillisecond();
  const second = open(first.file);
  second.history.store(1, "present");
  assert.deepEqual(second.sources({ hist_access_type: "range", session: -1, start: 1, stop: 3 }), ["old 1", "old 2"]);
  assert.deepEqual(second.sources({ hist_access_type: "range", session: 0, start: 1 }), ["present"]);
  assert.deepEqual(second.sources({ hist_access_type: "range", session: -7, start: 1 }), []);
  assert.deepEqual(second.sources({ hist_access_type: "range", session: first.history.session, start: 3 }), ["old 3"]);
});

test("a search takes * and ? and nothing else as special, and unique keeps the latest", () => {
  const { history, sources, ask } = open();
  for (const [index, source] of ["f(1)", "g(2)", "f(1)", "f.2", "f(33)\nx"].entries()) history.store(index + 1, source);
  assert.deepEqual(sources({ hist_access_type: "search", pattern: "f(*" }), ["f(1)", "f(1)", "f(33)\nx"]);
  assert.deepEqual(sources({ hist_access_type: "search", pattern: "f?2" }), ["f.2"]);
  const unique = ask({ hist_access_type: "search", pattern: "f(1)", unique: true });
  assert.deepEqual(unique, [[history.session, 3, "f(1)"]]);
  assert.deepEqual(sources({ hist_access_type: "search", pattern: "f*", n: 1 }), ["f(33)\nx"]);
});

test("the history file is readable by its user only, even if an older version made it readable to all", () => {
  const modeOf = (name: string): string => (statSync(name).mode & 0o777).toString(8);
  const home = temporaryFolder();
  const file = path.join(home, "share", "halftone", "history.jsonl");
  const first = open(file);
  first.history.store(1, "x");
  first.history.write();
  assert.deepEqual([modeOf(file), modeOf(path.dirname(file))], ["600", "700"]);
  chmodSync(file, 0o644);
  chmodSync(path.dirname(file), 0o755);
  open(file);
  assert.deepEqual([modeOf(file), modeOf(path.dirname(file))], ["600", "700"]);
  const elsewhere = path.join(home, "own.jsonl");
  chmodSync(home, 0o755);
  open(elsewhere).history.store(1, "x");
  assert.equal(modeOf(home), "755", "a folder that the person chose stays as it is");
});

test("a huge cell and a huge result are kept in part, with a count, and only the file's last 4 MB are read", () => {
  const { file, history, ask } = open();
  history.store(1, "x".repeat(3 << 20), "y".repeat(20_000));
  const [[, , [source, output]]] = ask({ hist_access_type: "tail", n: 1, output: true }) as [
    [number, number, [string, string]],
  ];
  assert.match(source, /^x{1048576}\n\.\.\. 2,097,152 more characters are not kept$/);
  assert.match(output, /^y{10000}\n\.\.\. 10,000 more characters are not kept$/);
  for (let line = 2; line <= 10; line++) history.store(line, `${line} ${"z".repeat(1 << 20)}`.slice(0, 1 << 20));
  history.write();
  const { sources } = open(file);
  const starts = sources({ hist_access_type: "tail", n: 100 }).map((text) => String(text).slice(0, 3));
  assert.deepEqual(starts, ["8 z", "9 z", "10 "]);
});

test("cells run when the history file cannot be written, and the session keeps its own history", () => {
  const { history, sources } = open("/dev/null/history.jsonl");
  history.store(1, "x");
  assert.deepEqual(sources({ hist_access_type: "tail" }), ["x"]);
});
