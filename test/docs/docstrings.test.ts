import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as halftone from "../../src/index.ts";
import { type Declaration, exportsOf, thrownBy } from "./declarations.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const declarations = exportsOf(path.join(root, "dist/src/index.d.ts"));

const isFunction = ({ name, kind }: Declaration): boolean =>
  kind !== "class" && typeof (halftone as Record<string, unknown>)[name] === "function";
const sourceOf = (file: string): string => file.replace("/dist/", "/").replace(/\.d\.ts$/, ".ts");
const names = (failing: readonly Declaration[]): string[] =>
  failing.map(({ name, file }) => `${path.relative(root, sourceOf(file))}: ${name}`);

/** The first paragraph is a sentence of at least three words. */
function hasSentence({ docstring }: Pick<Declaration, "docstring">): boolean {
  const [first = ""] = docstring.split(/\n\s*\n|\n@/);
  return /^[A-Z0-9`|]/.test(first) && /[.:]["`)]?$/.test(first.trim()) && first.trim().split(/\s+/).length >= 3;
}

/** A shape in brackets, or words that say that the shape does not matter. */
const hasShape = ({ docstring }: Pick<Declaration, "docstring">): boolean =>
  /\[[\w\s.,="*+/-]*\]|elementwise|any shape|scalar/i.test(docstring);

test("every export has a docstring that begins with a sentence", () => {
  assert.ok(declarations.length > 300, `${declarations.length}`);
  assert.deepEqual(names(declarations.filter((each) => !hasSentence(each))), []);
});

test("a function over tensors states its shapes", () => {
  const overTensors = declarations.filter((each) => isFunction(each) && /\b(Any)?Tensor\b|\bOperand\b/.test(each.code));
  assert.ok(overTensors.length > 100, `${overTensors.length}`);
  assert.deepEqual(names(overTensors.filter((each) => !hasShape(each))), []);
});

/** Errors that the source of a function contains and that it never throws, because only other functions get there. */
const unreachable: Record<string, string> = {
  ...{ mean: "RangeError", any: "RangeError", all: "RangeError", rearrange: "RangeError", repeat: "RangeError" },
  ...{
    argSort: "RangeError",
    atan2: "TypeError",
    sort: "RangeError TypeError",
    topK: "TypeError",
    div: "TypeError",
    logicalAnd: "TypeError",
    logicalOr: "TypeError",
  },
};

test("a function that throws names the error's class", () => {
  const missing = declarations.filter(isFunction).flatMap((each) => {
    const documented = /@throws.*/s.exec(each.docstring)?.[0].match(/\b\w*Error\b/g) ?? [];
    const named = [...documented, ...(unreachable[each.name]?.split(" ") ?? [])];
    const lacking = [...thrownBy(sourceOf(each.file), each.name)].filter((error) => !named.includes(error));
    return lacking.map((error) => `${names([each])[0]} throws ${error}`);
  });
  assert.deepEqual(missing, []);
});

test("a docstring without a sentence, and one without shapes, are found", () => {
  assert.ok(!hasSentence({ docstring: "" }));
  assert.ok(!hasSentence({ docstring: "the sum" }));
  assert.ok(!hasSentence({ docstring: "@throws RangeError when it is empty" }));
  assert.ok(hasSentence({ docstring: "Sum over axes.\n\n@throws RangeError for an overflow" }));
  assert.ok(!hasShape({ docstring: "Sum over axes." }));
  assert.ok(hasShape({ docstring: "Sum over the last axis of `[..., features]`." }));
});
