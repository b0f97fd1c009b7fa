import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook } from "./fixture.ts";

const { run } = openNotebook();

/** Each cell's last value as text, by what Node's own util.inspect prints for it. */
const forms: [what: string, code: string, text: string | undefined][] = [
  ["types", "interface A { x: number } type B = A | null; const b: B = { x: 1 }; b satisfies A", "{ x: 1 }"],
  ["a cast and a non-null assertion", "(<any>'1' as unknown as string)!.length", "1"],
  ["generics", "function first<T>(xs: T[]): T { return xs[0]! } first<string>(['a'])", "'a'"],
  ["a generic arrow function", "const id = <T>(x: T) => x; id(3)", "3"],
  ["a generic call that JavaScript reads as comparisons", "function g<T>(x: T) { return x } g<number>(1)", "1"],
  [
    "overloads",
    "function o(a: string): string; function o(a: number): number; function o(a: any) { return a } o(2)",
    "2",
  ],
  ["enum", "enum Color { Red, Green = 5, Blue } [Color.Blue, Color[5]]", "[ 6, 'Green' ]"],
  ["const enum", "const enum Level { Low = 'low' } Level.Low", "'low'"],
  ["an enum declared twice", "enum M { A } enum M { B = 1 } [M.A, M.B]", "[ 0, 1 ]"],
  [
    "namespace",
    "namespace Geo { export const pi = 3; export namespace In { export const e = 2 } } Geo.pi + Geo.In.e",
    "5",
  ],
  [
    "a class with a namespace of its name",
    "class W { a = 1 } namespace W { export const b = 2 } [new W().a, W.b]",
    "[ 1, 2 ]",
  ],
  [
    "parameter properties",
    "class P { constructor(private x: number, readonly y = 2) {} sum() { return this.x + this.y } } new P(1).sum()",
    "3",
  ],
  [
    "abstract, override, implements",
    "interface I { f(): number } abstract class Q { abstract f(): number } class R extends Q implements I { override f() { return 4 } } new R().f()",
    "4",
  ],
  ["declare", "declare const nowhere: number; declare module 'x' {} 5", "5"],
  ["optional parameters", "function opt(a?: number) { return a ?? 'none' } opt()", "'none'"],
  ["definite fields", "class D { x!: number; #p = 7; static s = 1; get p() { return this.#p } } new D().p", "7"],
  ["accessor keyword", "class Acc { accessor v = 3 } new Acc().v", "3"],
  [
    "standard decorators",
    "function twice(f: any, _: ClassMethodDecoratorContext) { return function (this: any) { return 2 * f.call(this) } } class Dec { n = 21; @twice f() { return this.n } } new Dec().f()",
    "42",
  ],
  [
    "a class decorator",
    "const seen: string[] = []; function mark(_: any, c: any) { seen.push(c.kind + ' ' + c.name) } @mark class Marked {} seen",
    "[ 'class Marked' ]",
  ],
  ["top-level await", "await Promise.resolve(8)", "8"],
  ["for await", "let sum = 0; for await (const x of [1, Promise.resolve(2)]) sum += x; sum", "3"],
  ["labels", "outer: for (let i = 0; ; i++) { for (;;) { if (i > 2) break outer; continue outer } } 'out'", "'out'"],
  ["a directive as a value", '"use strict"', "'use strict'"],
  [
    "destructuring",
    "const { a: [p, ...q], ...rest } = { a: [1, 2, 3], z: 1 }; [p, q, rest]",
    "[ 1, [ 2, 3 ], { z: 1 } ]",
  ],
  ["destructuring that awaits", "const { k, ['x' + 'y']: w = 9 } = await { k: 1 }; [k, w]", "[ 1, 9 ]"],
  [
    "var in blocks and loops",
    "if (true) { var deep = 1 } for (var i = 0; i < 3; i++); for (var key in { u: 1 }); [deep, i, key]",
    "[ 1, 3, 'u' ]",
  ],
  ["var without braces", "if (false) var no = 1; else var yes = 2; [no, yes]", "[ undefined, 2 ]"],
  ["var declared twice", "var twofold = 1; var twofold = 2; twofold", "2"],
  ["a call before the function's definition", "early(); function early() { return 'hoisted' }", undefined],
  [
    "functions that call one another",
    "even(10); function even(n: number): boolean { return n === 0 || odd(n - 1) } function odd(n: number): boolean { return n !== 0 && even(n - 1) } even(4)",
    "true",
  ],
  [
    "a namespace whose second part reads what the first exports",
    "namespace Parts { export const one = 1 } namespace Parts { export const two = one + 1 } Parts.two",
    "2",
  ],
  [
    "the value after an exported class with a decorator",
    "function same(what: any, _: any) { return what } @same export class Kept {} Kept.name",
    "'Kept'",
  ],
  [
    "less than a negated decrement, which a script takes for a comment",
    "let two = 2, one = 1; [two <!--one, one]",
    "[ false, 0 ]",
  ],
  [
    "a name that a function or class in brackets gets",
    "let f = (() => {}), g = ((function () {})), h = (class {}), i = class { static own = this.name }; [f.name, g.name, h.name, i.own]",
    "[ 'f', 'g', 'h', 'i' ]",
  ],
  [
    "patterns with defaults, rests and names from before",
    "const { a, b: [c = a], ...rest } = { a: 1, b: [], z: 3 } as any, d = a + c, [e = () => d] = []; [c, rest, d, e(), e.name]",
    "[ 1, { z: 3 }, 2, 2, 'e' ]",
  ],
  [
    "a function's name",
    "function named() {} const arrow = () => 1; class Named {} [named.name, arrow.name, Named.name]",
    "[ 'named', 'arrow', 'Named' ]",
  ],
  [
    "recursion through the variable",
    "let calls = 0; function fact(n: number): number { calls++; return n < 2 ? 1 : n * fact(n - 1) } fact = ((f) => (n) => f(n))(fact); fact(4)",
    "24",
  ],
  [
    "generators and async functions",
    "function* gen() { yield 1; yield 2 } async function* agen() { yield 3 } const got = [...gen()]; for await (const x of agen()) got.push(x); got",
    "[ 1, 2, 3 ]",
  ],
  [
    "export of every kind",
    "export const ex = 1; export function ef() { return 2 } export class EC {} export enum EE { X } export { ex as other }; export type ET = number; [ex, ef(), EE.X]",
    "[ 1, 2, 0 ]",
  ],
  ["export default", "export default class Defaulted { v = 1 }", undefined],
  ["what export default declared", "new Defaulted().v", "1"],
  ["an exported anonymous function", "export default function () {}", undefined],
  ["import.meta", "[typeof import.meta.url, import.meta.dirname === process.cwd()]", "[ 'string', true ]"],
  ["a comment after the value", "1 + 1 // two", "2"],
  ["comments of all kinds after the value", "2 + 2 /* four */\n// yes\n", "4"],
  ["a semicolon silences", "3 + 3;", undefined],
  ["a semicolon and a comment silence", "3 + 3; // six", undefined],
  ["a declaration has no value", "const nothing = 5", undefined],
  ["undefined is no result", "void 0", undefined],
  ["null is one", "null", "null"],
  ["a statement has no value", "if (true) { 5 }", undefined],
  ["an empty cell", "", undefined],
  ["only a comment", "// nothing", undefined],
  ["a regular expression", "/a;b/.source", "'a;b'"],
  ["a template over lines", "`a\n  b`", "'a\\n  b'"],
  ["a parenthesised object", "({ a: 1 })", "{ a: 1 }"],
  ["Quarto's option lines", "//| label: fig\n//| echo: false\n1 + 4", "5"],
  ["Quarto's option lines with a hash", "#| label: fig\n#| echo: false\n1 + 5", "6"],
  ["Windows line ends", "const crlf = 1\r\ncrlf + 6", "7"],
  ["bigint and numeric separators", "1_000n * 2n", "2000n"],
  ["new regular expression flags", "/[\\p{L}--[a-z]]/v.test('É')", "true"],
];

for (const [what, code, text] of forms) {
  test(`a cell understands ${what}`, async () => {
    const ran = await run(code);
    assert.equal(ran.error, undefined, ran.error?.traceback.join("\n"));
    assert.equal(ran.text, text);
  });
}

test("`using` at top level is disposed when its cell ends, the last first", async () => {
  const { stdout, text } = await run(`
    const log = (name: string) => ({ name, [Symbol.dispose]() { console.log("closed", name) } });
    using one = log("one");
    using two = log("two");
    console.log("body");
    one.name`);
  assert.equal(stdout, "body\nclosed two\nclosed one\n");
  assert.equal(text, "'one'");
});

test("`await using` is awaited, also when the cell throws", async () => {
  const { stdout, error } = await run(`
    await using it = { async [Symbol.asyncDispose]() { await null; console.log("closed") } };
    throw new Error("after")`);
  assert.equal(stdout, "closed\n");
  assert.equal(error?.evalue, "after");
});

test("experimentalDecorators in tsconfig.json gives the old decorators, with metadata when asked", async () => {
  const folder = temporaryFolder();
  const options = `{ // the nearest one counts
    "compilerOptions": { "experimentalDecorators": true, },
  }`;
  writeFileSync(path.join(folder, "tsconfig.json"), options);
  const { run: runThere } = openNotebook({ cwd: folder });
  const { text, error } = await runThere(`
    const seen: unknown[] = [];
    function old(target: object, key: string, descriptor: PropertyDescriptor) { seen.push(key, typeof descriptor.value) }
    class Old { @old method() {} }
    seen`);
  assert.equal(error, undefined);
  assert.equal(text, "[ 'method', 'function' ]");
});

test("JSX calls the automatic runtime of the package that the pragma names, from the notebook's folder", async () => {
  const folder = temporaryFolder();
  const runtime = path.join(folder, "node_modules", "tiny");
  mkdirSync(runtime, { recursive: true });
  writeFileSync(path.join(runtime, "package.json"), `{"name":"tiny","exports":{"./jsx-runtime":"./jsx.mjs"}}`);
  writeFileSync(
    path.join(runtime, "jsx.mjs"),
    "export const jsx = (type, props) => ({ type, props }); export const jsxs = jsx; export const Fragment = 'fragment';",
  );
  const { run: runThere } = openNotebook({ cwd: folder });
  const { text } = await runThere(`/** @jsxImportSource tiny */
    const Title = (p: { text: string }) => <b>{p.text}</b>;
    [(<Title text="hi" />).props.text, (<><i /><u /></>).type]`);
  assert.equal(text, "[ 'hi', 'fragment' ]");
  const { error } = await runThere("const plain = <p>hello</p>");
  assert.match(error!.evalue, /JSX needs the package 'react'.*%install react/);
});

test("a syntax error has its line and column, and shows the code", async () => {
  const { error, outcome } = await run("const fine = 1\nconst broken = ;\n");
  assert.equal(outcome.status, "error");
  assert.equal(error?.ename, "SyntaxError");
  assert.match(error!.evalue, /cell \[\d+\]:2:16/);
  assert.match(error!.traceback.join("\n"), /> 2 \| const broken = ;\n {4}\| {16}\^/);
});

test("two declarations of one name in one cell are an error, as in any module", async () => {
  const { error } = await run("let same = 1; let same = 2");
  assert.match(error!.evalue, /`same` has already been declared/);
});

test("a cell of ten thousand lines runs", async () => {
  const lines = Array.from({ length: 10_000 }, (_, index) => `const v${index}: number = ${index}`);
  assert.equal((await run(`${lines.join("\n")}\nv9999`)).text, "9999");
});
