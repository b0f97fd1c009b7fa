import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openChecker, type Step, step } from "./notebook.ts";

type Sequence = [given: string | Step, expected: string][];

/** What TypeScript says of the same text as one module, or, where a module may not say it, what the notebook's rules are. */
const sequences: Record<string, Sequence> = {
  "a name declared again has its new type alone": [
    ["const a = 1", "ok"],
    ["const a = 'text'; a.toUpperCase()", "ok"],
    ["a.toFixed()", "1:3 TS2551"],
  ],
  "a function may follow a const, and a const a function": [
    ["const f = 1", "ok"],
    ["function f(x: number) { return [x]; }", "ok"],
    ["f(1).at(0)?.toFixed()", "ok"],
    ["const f = 'now text'; f.length", "ok"],
    ["f(1)", "1:1 TS2349"],
  ],
  "an earlier let is assigned with its own type": [
    ["let count: number | string = 0", "ok"],
    ["count = 'text'", "ok"],
    ["count = true", "1:1 TS2322"],
  ],
  "an earlier const is not assigned": [
    ["const fixed = 1; const other = { a: 1 }", "ok"],
    ["fixed = 2", "1:1 TS2588"],
    ["other.a = 2; other.a++", "ok"],
  ],
  "a var is assigned and updated from a function": [
    ["var total = 0", "ok"],
    ["function add(n: number) { total += n; total++; }", "ok"],
    ["add(2); total.toFixed()", "ok"],
    ["for (total of [1, 2]) { }", "ok"],
    ["[total] = ['x']", "1:2 TS2322"],
  ],
  "a let of a literal is widened as in one module": [
    ["const three = 3", "ok"],
    ["let grows = three; grows = 4", "ok"],
  ],
  "overloads are kept": [
    [
      "function f(x: number): string\nfunction f(x: string): number\nfunction f(x: unknown): unknown { return x }",
      "ok",
    ],
    ["const s: string = f(1); const n: number = f('')", "ok"],
    ["f(true)", "1:3 TS2769"],
  ],
  "overloads declared again are replaced, not added to": [
    ["function f(x: number): string\nfunction f(x: unknown): unknown { return x }", "ok"],
    ["function f(x: boolean): number { return Number(x) }", "ok"],
    ["f(1)", "1:3 TS2345"],
  ],
  "generics keep their parameters and constraints": [
    ["function first<T extends { id: number }>(list: T[]): T | undefined { return list[0]; }", "ok"],
    ["const one = first([{ id: 1, name: 'a' }]); one?.name.length", "ok"],
    ["first([{ name: 'a' }])", "1:10 TS2353"],
    ["type Box<T = string> = { value: T }; class Stack<T> { items: T[] = []; push(x: T) { return this; } }", "ok"],
    ["const b: Box = { value: 'x' }; new Stack<number>().push(1).push('x')", "1:65 TS2345"],
  ],
  "a class extends an earlier class": [
    ["class Animal { #age = 1; protected name = 'a'; speak() { return this.name; } }", "ok"],
    ["class Dog extends Animal { bark() { return this.name + this.speak(); } }", "ok"],
    ["new Dog().bark().length; new Dog().name", "1:36 TS2445"],
    ["const a: Animal = new Dog()", "ok"],
  ],
  "an abstract class and an interface ask for what is missing": [
    ["abstract class Shape { abstract area(): number }\ninterface Named { name: string }", "ok"],
    ["class Square extends Shape implements Named { }", "1:7 TS2420, 1:7 TS2515"],
  ],
  "a class declared again is another class": [
    ["class P { x = 1 }; const old = new P()", "ok"],
    ["class P { y = 2 }", "ok"],
    ["const p: P = old", "1:7 TS2741"],
    ["new P().y; old.x", "ok"],
  ],
  "interfaces merge in a cell and replace across cells": [
    ["interface I { a: number }\ninterface I { b: number }", "ok"],
    ["const i: I = { a: 1, b: 2 }", "ok"],
    ["interface I { c: number }", "ok"],
    ["const j: I = { a: 1, b: 2, c: 3 }", "1:16 TS2353"],
    ["const k: I = { c: 3 }", "ok"],
  ],
  "an enum is a value and a type": [
    ["enum Color { Red, Green = 'g' }", "ok"],
    ["const c: Color = Color.Red; const t: Color.Green = Color.Green", "ok"],
    ["const d: Color = 'g'", "1:7 TS2322"],
    ["function nameOf(c: Color) { switch (c) { case Color.Red: return 1; case Color.Green: return 2; } }", "ok"],
    ["nameOf(Color.Red).toFixed()", "ok"],
  ],
  "a const enum works across cells": [
    ["const enum Level { Low = 1 }", "ok"],
    ["const l: Level.Low = Level.Low; l.toFixed()", "ok"],
  ],
  "a namespace carries values and types": [
    ["namespace Geo { export const origin = [0, 0]; export interface Point { x: number } }", "ok"],
    ["const p: Geo.Point = { x: Geo.origin[0]! }", "ok"],
    ["Geo.nowhere", "1:5 TS2339"],
    ["namespace Geo { export const other = 1 }", "ok"],
    ["Geo.origin", "1:5 TS2339"],
  ],
  "a value and a type of one name come from different cells": [
    ["type Thing = { size: number }", "ok"],
    ["const Thing = (size: number): Thing => ({ size })", "ok"],
    ["const t: Thing = Thing(3); t.size.toFixed()", "ok"],
    ["const Thing = 7", "ok"],
    ["const u: Thing = { size: Thing }", "ok"],
  ],
  "a class's type stays when its name becomes another value": [
    ["class Model { fit() { return 1; } }", "ok"],
    ["const Model = 5", "ok"],
    ["let m: Model | undefined; Model.toFixed(); m = { fit: () => 2 }", "ok"],
  ],
  "a cell that declares a value still sees the older type": [
    ["class Link { next?: Link }", "ok"],
    ["const Link = () => ({}) as Link; const n: Link = Link()", "ok"],
  ],
  "an import is seen by later cells, as value, type and namespace": [
    ["import * as path from 'node:path'; import { readFileSync, type Stats } from 'node:fs'", "ok"],
    ["path.join('a', 1)", "1:16 TS2345"],
    ["readFileSync('x').toString(); let s: Stats | undefined; let p: path.ParsedPath | undefined", "ok"],
  ],
  "a default import has its package's types": [
    ["import fs from 'node:fs'", "ok"],
    ["fs.existsSync(3n)", "1:15 TS2345"],
  ],
  "the same name is imported twice": [
    ["import { join } from 'node:path'", "ok"],
    ["import { join } from 'node:path'; join('a')", "ok"],
    ["import * as join from 'node:path'; join.join('a')", "ok"],
  ],
  "a type-only import is a type alone": [
    ["import type { Stats } from 'node:fs'", "ok"],
    ["const size = (s: Stats) => s.size.toFixed()", "ok"],
    ["const fake: Stats = {}; const f = Stats", "1:7 TS2740, 1:35 TS1361"],
  ],
  "an import may stand in the middle of a cell": [
    ["const before = basename('x')\nimport { basename } from 'node:path'", "ok"],
    ["before.length", "ok"],
  ],
  "a name that nobody exports and a module that is not there are told": [
    ["import { nothing } from 'node:path'", "1:10 TS2305"],
    ["import x from './not-there.ts'", "1:15 TS2307"],
    ["import 'no-such-package-at-all'; await import('no-such-package-at-all')", "1:8 TS2882, 1:47 TS2307"],
  ],
  "standard decorators are typed": [
    [
      "function logged<T extends (...a: never[]) => unknown>(f: T, context: ClassMethodDecoratorContext): T { return f; }",
      "ok",
    ],
    ["class Service { @logged run(x: number) { return x; } }", "ok"],
    ["class Wrong { @logged field = 1 }", "1:16 TS1240, 1:16 TS1270"],
  ],
  "TSX is typed, and a type assertion is no TSX": [
    [
      "declare global { namespace JSX { interface IntrinsicElements { b: { id?: string } } type Element = string } }",
      "ok",
    ],
    ["const n = <number>(1 as unknown); n.toFixed()", "ok"],
    ["const el = <b id={3}>x</b>", "1:12 TS2875, 1:15 TS2322"],
  ],
  "the world is added to, and an addition made again replaces the first": [
    ["declare global { interface Array<T> { total(): number } var answer: number }", "ok"],
    ["[1].total().toFixed(); answer.toFixed()", "ok"],
    ["declare global { interface Array<T> { total(): string } var answer: string }", "ok"],
    ["[1].total().length; answer.toFixed()", "1:28 TS2551"],
  ],
  "a re-run of the same cell takes back what it added to the world": [
    [{ code: "declare global { var onlyOnce: number }", key: "a" }, "ok"],
    ["onlyOnce", "ok"],
    [{ code: "const nothing = [onlyOnce].length", key: "b" }, "ok"],
    [{ code: "declare global { var another: number }", key: "a" }, "ok"],
    ["onlyOnce", "1:1 TS2304"],
  ],
  "a module's types are added to": [
    ["declare module 'node:path' { interface PlatformPath { tensor: number } }", "ok"],
    ["import path from 'node:path'; path.tensor.toFixed()", "ok"],
  ],
  "what a cell awaits keeps its type, however the await is written": [
    [
      "const a = await (Promise.resolve('x')); const [b] = await [1]; const c = await (await (Promise.resolve(2)));\nconst d = await `t`, e = await Promise.resolve(true)",
      "ok",
    ],
    ["const f = await\nPromise.resolve(3)", "ok"],
    ["a.toFixed()", "1:3 TS2551"],
    ["b!.toUpperCase()", "1:4 TS2339"],
    [
      "c.toUpperCase(); d.toFixed(); const n: number = e; f.trim()",
      "1:3 TS2339, 1:20 TS2551, 1:37 TS2322, 1:54 TS2339",
    ],
  ],
  "a class, a type and a value of one name from three cells": [
    ["class Both { one = 1 }", "ok"],
    ["const Both = 5", "ok"],
    ["Both.toFixed(); const b: Both = { one: 'x' }", "1:35 TS2322"],
    ["interface Both { two: number }", "ok"],
    ["Both.toFixed(); const c: Both = { two: 'x' }", "1:35 TS2322"],
    ["let Both = 'now'; const d: Both = { two: 2 }; Both.length", "ok"],
  ],
  "cells that import stand beside cells that do not": [
    ["import { basename } from 'node:path'; const base = basename('/a')", "ok"],
    ["const size = base.length; export const twice = size * 2", "ok"],
    ["import path from 'node:path'; const joined = path.join(base, String(twice))", "ok"],
    ["const all = [base, joined]; all.push(size)", "1:38 TS2345"],
    ["basename(size); path.join(twice)", "1:10 TS2345, 1:27 TS2345"],
  ],
  "cells run out of order": [
    ["const b = a + 1", "1:11 TS2304"],
    ["const a = 1 as number", "ok"],
    ["const b = a + 1", "ok"],
    ["const a = 'text' as string", "ok"],
    ["b.toFixed(); const c = a + b; c.length", "ok"],
  ],
  "a deleted cell's names stay, as its values do": [
    [{ code: "const kept = [1]", key: "gone" }, "ok"],
    ["kept.push(2)", "ok"],
  ],
  "an error in a cell that never ran is nobody's": [
    [{ code: "const wrong: number = 'x'", refused: true }, "1:7 TS2322"],
    ["const fine = 1 as number", "ok"],
    ["wrong", "1:1 TS2304"],
  ],
  "an error in one cell stays there": [
    ["const broken: number = 'x'; function oops(x) { return x.y; }", "1:7 TS2322, 1:43 TS7006"],
    ["broken.toFixed(); oops(1)", "ok"],
    ["const later = broken + 1", "ok"],
  ],
  "a cell that failed has declared what it declared": [
    [{ code: "const half = 'x'; throw new Error()", fails: true }, "ok"],
    ["half.length", "ok"],
    [{ code: "const half = 1 as number; throw new Error()", fails: true }, "ok"],
    ["half.length", "1:6 TS2339"],
  ],
  "an assignment gives an optional its value, for later cells too": [
    ["let model: { fit(): number } | undefined", "ok"],
    ["model.fit()", "1:1 TS18048"],
    ["model = { fit: () => 1 }", "ok"],
    ["model.fit()", "ok"],
    ["const again = () => model.fit()", "ok"],
    ["model = undefined", "ok"],
    ["model.fit()", "1:1 TS18048"],
  ],
  "a check for undefined holds in later cells, if its cell ended well": [
    ["const found = [1, 2].find((x) => x > 1)", "ok"],
    ["found.toFixed()", "1:1 TS18048"],
    [{ code: "if (found === undefined) throw new Error()", fails: true }, "ok"],
    ["found.toFixed()", "1:1 TS18048"],
    ["if (found === undefined) throw new Error()", "ok"],
    ["found.toFixed()", "ok"],
  ],
  "an assertion holds in later cells": [
    [
      "function must<T>(x: T): asserts x is NonNullable<T> { if (x == null) throw new Error(); }\nconst maybe = new Map([['a', 1]]).get('a')",
      "ok",
    ],
    ["must(maybe)", "ok"],
    ["maybe.toFixed()", "ok"],
  ],
  "a choice is not narrowed to what it was set to first": [
    ["let mode: 'fast' | 'slow' = 'fast'; let best: number | null = null", "ok"],
    ["if (mode === 'slow') { best = 2 }", "ok"],
    ["if (best !== null && best > 1) best.toFixed()", "ok"],
  ],
  "a variable without a type takes it from what it is given": [
    ["let late", "ok"],
    ["late = [1, 2]", "ok"],
    ["late.push('x')", "1:11 TS2345"],
    ["late = 'text'", "ok"],
    ["late.length.toFixed()", "ok"],
    ["let net = null", "ok"],
    ["net = { loss: 1 }; const use = () => net", "ok"],
    ["net.loss.toFixed()", "ok"],
  ],
  "an empty list may be filled in later cells": [
    ["const losses = []; let steps = []", "ok"],
    ["losses.push(1); losses.push('x'); steps.push(2)", "ok"],
    ["losses[0]; steps.map((s) => s)", "ok"],
  ],
  "types are inferred through many cells": [
    ["const base = { lr: 0.1, tags: ['a'] as const }", "ok"],
    ["const copy = { ...base, epochs: 3 }", "ok"],
    ["type Options = typeof copy; const keys: (keyof Options)[] = ['lr', 'epochs', 'tags']", "ok"],
    ["const wrong: Options['tags'] = ['b']", "1:33 TS2322"],
  ],
  "destructuring has defaults and rests": [
    ["const { a, b: { c = 2 }, ...rest } = { a: 1, b: {} as { c?: number }, d: 'x', e: true }", "ok"],
    ["a.toFixed(); c.toFixed(); rest.d.length; rest.a", "1:47 TS2339"],
    ["const [head, ...tail] = [1, 'x'] as [number, string]", "ok"],
    ["head.toFixed(); tail[0].length", "ok"],
  ],
  "top-level await, for await and using are allowed": [
    ["const got = await Promise.resolve(1)", "ok"],
    ["for await (const x of [Promise.resolve('a')]) x.length", "ok"],
    ["using handle = { [Symbol.dispose]() {} , id: got }; handle.id.toFixed()", "ok"],
    ["handle.id.length", "1:11 TS2339"],
  ],
  "exports are allowed and mean nothing more": [
    [
      "export const shown = 1 as number; export function helper() { return shown; } export default class Main { go() { return 1; } }",
      "ok",
    ],
    ["helper().toFixed(); new Main().go(); export { shown }", "ok"],
    ["export { shown as other }; export type { Main }", "ok"],
    ["export const shown = 'text'; shown.length", "ok"],
  ],
  "a unique symbol stays unique, and its key is found": [
    ["const tag = Symbol('tag'); const tagged = { [tag]: 1 }", "ok"],
    ["tagged[tag].toFixed()", "ok"],
  ],
  "two functions that call each other are declared in two cells": [
    ["function even(n: number): boolean { return n === 0 || odd(n - 1); }", "1:55 TS2304"],
    ["function odd(n: number): boolean { return n !== 0 && even(n - 1); }", "ok"],
    ["function even(n: number): boolean { return n === 0 || odd(n - 1); }", "ok"],
  ],
  "names of JavaScript's own may be taken": [
    ["const name = 'mine'; const Map = { of: 1 }; class Error { code = 3 }", "ok"],
    ["name.length; Map.of.toFixed(); new Error().code.toFixed()", "ok"],
  ],
  "a loop's and a function's own names are not the notebook's": [
    ["for (let i = 0; i < 1; i++) { const inside = i; } function g(p: number) { return p; }", "ok"],
    ["i", "1:1 TS2304"],
    ["inside; p", "1:1 TS2304, 1:9 TS2304"],
    ["const x = 1 as number; { const x = 'inner'; x.length }", "ok"],
    ["[1].map((x) => x.toFixed()); x.toFixed()", "ok"],
  ],
  "comments to the compiler and option lines mean what they say": [
    ["// @ts-nocheck\nconst n: number = 'x'", "ok"],
    ["n.toFixed()", "ok"],
    ["// @ts-expect-error\nconst m: number = 'x'", "ok"],
    ["#| label: a\n//| echo: false\nconst k: number = 'x'", "3:7 TS2322"],
    ["// @ts-expect-error\nconst fine: number = 1", "1:1 TS2578"],
  ],
  "places are right after characters of two units, and in lines that end in CRLF": [
    ["const s = '😀😀'; const n: number = s", "1:25 TS2322"],
    ["const a = 1\r\nconst b: string = a\r\n", "2:7 TS2322"],
  ],
};

for (const [when, freezeAfter] of [
  ["by the notebook's rules", Number.POSITIVE_INFINITY],
  ["the same once types are written down", 0],
] as const)
  describe(`a sequence of cells is typed ${when}`, () => {
    const checker = openChecker({ freezeAfter });
    for (const [name, sequence] of Object.entries(sequences)) {
      test(name, async () => {
        checker.reset();
        const found: [string | Step, string][] = [];
        for (const [given] of sequence) found.push([given, await step(checker, given)]);
        assert.deepEqual(found, sequence);
      });
    }
  });
