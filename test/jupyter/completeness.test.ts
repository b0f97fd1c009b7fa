import assert from "node:assert/strict";
import { test } from "node:test";
import { completeness, completenessOf } from "../../kernel/jupyter/completeness.ts";

const indentOf = (code: string): string | undefined => {
  const answer = completeness(code);
  return answer.status === "incomplete" ? answer.indent : undefined;
};

test("whole programs are complete", () => {
  const whole = [
    "1 + 1",
    "import { a } from 'b'",
    "const f = async () => await g()",
    "type A = { x: 1 }",
    "%time f()",
    "",
  ];
  for (const code of [...whole, "!ls -la", "#| echo: false\n1", "//| label: x\nlet s = `😀`"]) {
    assert.equal(completeness(code).status, "complete", code);
  }
});

test("a program that ends early is incomplete, and the next line is indented after an opening bracket", () => {
  assert.equal(indentOf("function f() {"), "  ");
  assert.equal(indentOf("if (a) {\n  for (;;) {"), "    ");
  assert.equal(indentOf("  if (a) {\n    b()"), "    ");
  assert.equal(indentOf("const f = (x: number) =>"), "  ");
  for (const code of [
    "1 +",
    "f(1,",
    "`a${b",
    "`é😀",
    "/* a",
    "a.",
    "a?.",
    "x as",
    "try {}",
    "s = 'é😀'; f(",
    "const x: Foo<",
  ]) {
    assert.equal(completeness(code).status, "incomplete", code);
  }
});

test("a program that no further line can make valid is invalid", () => {
  for (const code of ["1 + )", '"abc', "/re", "a\n)b{", '{ "a\n', "const x"]) {
    assert.equal(completeness(code).status, "invalid", code);
  }
});

test("a cell magic continues until an empty line", () => {
  assert.equal(completeness("%%bash\nls").status, "incomplete");
  assert.equal(completeness("%%bash\nls\n\n").status, "complete");
});

test("a request for help is complete, as it is for IPython", () => {
  for (const code of ["a?", "?a.b", "// what is it\n\ta.b??\n", "%reset"])
    assert.equal(completeness(code).status, "complete", code);
  assert.equal(completeness("a ? b").status, "incomplete");
});

test("a short request is answered before an earlier one of a megabyte", async () => {
  const answered: string[] = [];
  const ask = async (name: string, code: string) => {
    assert.equal((await completenessOf(code)).status, "complete");
    answered.push(name);
  };
  await Promise.all([ask("long", "f(1 + 2);\n".repeat(100_000)), ask("short", "1")]);
  assert.deepEqual(answered, ["short", "long"]);
});

test("text that could make a pattern backtrack is read in linear time", async () => {
  const million = 1_000_000;
  const hostile = [
    `%%bash${"\n".repeat(million)}x`,
    `%time${" ".repeat(million)}1`,
    `${" ".repeat(million)}x`,
    `"${'\\"'.repeat(million / 2)}`,
    "import {".repeat(million / 8),
    "let a;".repeat(50_000),
  ];
  for (const code of hostile) assert.ok(await completenessOf(code), code.slice(0, 20));
});

test("code nested too deeply for the parser is invalid, and the process continues", () => {
  const levels = 30_000;
  const nested = [
    "(".repeat(levels),
    `${"[".repeat(levels)}${"]".repeat(levels)}`,
    `${"`${".repeat(levels)}1${"}`".repeat(levels)}`,
    `${"a=>".repeat(levels)}1`,
    `${"a?b:".repeat(levels)}c`,
    `${"a=".repeat(levels)}b`,
    `let x: ${"A<".repeat(levels)}1${">".repeat(levels)}`,
  ];
  for (const code of nested) assert.equal(completeness(code).status, "invalid", code.slice(0, 10));
  const flat = [
    `const all = [${"[1], ".repeat(levels)}]`,
    "const x = 1\n".repeat(levels).replaceAll("x", "y"),
    `"${"(".repeat(levels)}"`,
  ];
  for (const code of flat) assert.notEqual(completeness(code).status, "incomplete", code.slice(0, 10));
  assert.equal(completeness(flat[2]!).status, "complete");
});
