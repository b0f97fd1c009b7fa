import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluateListOps, listOps, listOpsVocabulary, majorityShare } from "../../src/data/index.ts";

describe("ListOps expressions have the value", () => {
  // The first is figure 1 of Nangia & Bowman 2018; the others are worked out by hand from its definitions.
  const examples: [string, number][] = [
    ["[MAX 2 9 [MIN 4 7 ] 0 ]", 9],
    ["[MIN 8 3 [MAX 1 2 ] ]", 2],
    ["[SM 3 8 ]", 1],
    ["[SM 9 9 9 [SM 5 5 ] ]", 7],
    ["[MED 1 5 8 9 2 ]", 5],
    ["[MED 1 4 ]", 2],
    ["[MED 3 9 [MAX 0 6 ] 7 ]", 6],
    ["7", 7],
  ];
  for (const [text, value] of examples) {
    test(`of the paper's rules: ${text} is ${value}`, () => assert.equal(evaluateListOps(text), value));
  }

  test("in their labels, for every generated expression", () => {
    for (const { text, label } of listOps({ count: 500, seed: 3 })) assert.equal(evaluateListOps(text), label);
  });
});

describe("listOps", () => {
  test("gives the same expressions for the same seed and other ones for another", () => {
    const texts = (seed: number) => listOps({ count: 50, seed }).map(({ text }) => text);
    assert.deepEqual(texts(1), texts(1));
    assert.notDeepEqual(texts(1), texts(2));
  });

  test("draws operators, arguments and nesting as the authors' generator does", () => {
    const operators = new Map<string, number>();
    let args = 0;
    let lists = 0;
    for (const { text } of listOps({ count: 4000, seed: 5, minLength: 12 })) {
      for (const token of text.split(" ")) {
        if (token.startsWith("[")) operators.set(token, (operators.get(token) ?? 0) + 1);
        if (token !== "]") args++;
      }
      args--;
      lists += text.split("[").length - 2;
    }
    const total = [...operators.values()].reduce((a, b) => a + b);
    assert.deepEqual([...operators.keys()].sort(), ["[MAX", "[MED", "[MIN", "[SM"]);
    for (const [name, count] of operators)
      assert.ok(Math.abs(count / total - 0.25) < 0.01, `${name}: ${count / total}`);
    const perList = args / total;
    // 2 to 5 arguments are 3.5 on average; leaving out short expressions raises both figures a little.
    assert.ok(perList > 3.4 && perList < 3.8, `arguments to a list: ${perList}`);
    assert.ok(lists / args > 0.23 && lists / args < 0.29, `nested arguments: ${lists / args}`);
  });

  test("respects the limits and repeats no expression", () => {
    const examples = listOps({ count: 400, seed: 1, maxDepth: 4, maxArgs: 3, minLength: 6, maxLength: 40 });
    for (const { tokens, text, depth } of examples) {
      assert.ok(tokens.length >= 6 && tokens.length <= 40);
      assert.ok(depth <= 3);
      assert.doesNotMatch(text, /\[\w+ \d \d \d \d/);
      assert.equal(listOpsVocabulary.decode(tokens).join(" "), text);
    }
    assert.equal(new Set(examples.map(({ text }) => text)).size, 400);
  });

  test("reports limits that cannot be met", () => {
    assert.throws(() => listOps({ count: 100, seed: 1, minLength: 3, maxLength: 3 }), /found 0 of 100 .* widen/);
    assert.throws(() => listOps({ count: 0, seed: 1 }), /count must be an integer of at least 1, got 0/);
    assert.throws(() => listOps({ count: 1, seed: 1.5 }), /seed must be an integer, got 1.5/);
  });

  test("has no digit as the label of most expressions", () => {
    const share = majorityShare(listOps({ count: 3000, seed: 2 }));
    assert.ok(share > 0.1 && share < 0.25, `${share}`);
  });
});

for (const [text, message] of [
  ["[MAX 2", /expected a digit or an operator at token 3, got the end/],
  ["[MAX ]", /has no arguments/],
  ["1 2", /expected the end of the text after token 1, got 2/],
  ["[AVG 1 2 ]", /got \[AVG/],
] as const) {
  test(`the evaluator rejects ${JSON.stringify(text)}`, () => assert.throws(() => evaluateListOps(text), message));
}
