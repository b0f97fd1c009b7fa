import assert from "node:assert/strict";
import { test } from "node:test";
import { completeness } from "../../kernel/jupyter/completeness.ts";

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

test("a program that breaks off is incomplete, and the next line is indented below what opens", () => {
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

test("no further line can mend an invalid program", () => {
  for (const code of ["1 + )", '"abc', "/re", "a\n)b{", '{ "a\n', "const x"]) {
    assert.equal(completeness(code).status, "invalid", code);
  }
});

test("a cell magic goes on until an empty line", () => {
  assert.equal(completeness("%%bash\nls").status, "incomplete");
  assert.equal(completeness("%%bash\nls\n\n").status, "complete");
});
