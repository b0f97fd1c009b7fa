import assert from "node:assert/strict";
import { test } from "node:test";
import { openNotebook } from "./fixture.ts";

const { run } = openNotebook();

test("a cell's last expression is its result, and variables live on", async () => {
  assert.equal((await run("const answer: number = 6 * 7; answer")).text, "42");
  assert.equal((await run("answer / 84")).text, "0.5");
});

test("console output comes in order, before the result", async () => {
  const { outputs } = await run(`console.log("one"); console.error("two"); console.log("three"); 4`);
  assert.deepEqual(outputs, [
    { type: "stream", name: "stdout", text: "one\n" },
    { type: "stream", name: "stderr", text: "two\n" },
    { type: "stream", name: "stdout", text: "three\n" },
    { type: "result", data: { "text/plain": "4" }, metadata: {} },
  ]);
});

test("a thrown error ends the cell as an error with its name and message", async () => {
  const { outcome, error } = await run(`throw new RangeError("too far")`);
  assert.equal(outcome.status, "error");
  assert.equal(error?.ename, "RangeError");
  assert.equal(error?.evalue, "too far");
});

test("cells run in the order in which they came", async () => {
  const seen: string[] = [];
  const cells = ["await new Promise((go) => setTimeout(go, 30)); 'slow'", "'quick'"].map((code) =>
    run(code).then(({ text }) => seen.push(text!)),
  );
  await Promise.all(cells);
  assert.deepEqual(seen, ["'slow'", "'quick'"]);
});
