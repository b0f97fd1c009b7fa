import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ready, tf } from "../../src/runtime/index.ts";
import { einsum, matmul, named, namesOf } from "../../src/tensor/index.ts";
import { assertClose, dice, indices, type NdArray, size, tidily, toTensor } from "./naive.ts";

before(ready);

/** Loops over every axis of the pattern. */
function loops(terms: string[][], output: string[], arrays: NdArray[]): NdArray {
  const sizes = new Map<string, number>();
  for (const [n, term] of terms.entries())
    for (const [i, axis] of term.entries()) sizes.set(axis, arrays[n]!.shape[i]!);
  const axes = [...sizes.keys()];
  const shape = output.map((axis) => sizes.get(axis)!);
  const data = Array<number>(size(shape)).fill(0);
  const place = (term: string[], at: number[]) =>
    term.reduce((sum, axis) => sum * sizes.get(axis)! + at[axes.indexOf(axis)]!, 0);
  for (const at of indices([...sizes.values()]))
    data[place(output, at)]! += arrays.reduce((product, x, n) => product * x.data[place(terms[n]!, at)]!, 1);
  return { shape, data };
}

const call = einsum as unknown as (pattern: string, ...operands: unknown[]) => ReturnType<typeof tf.zeros>;

test("einsum of random patterns of one to three operands is the sum of products", () => {
  const { whole, pick, array } = dice(3);
  const letters = ["a", "b", "c", "d", "e"];
  for (let round = 0; round < 150; round++)
    tidily(() => {
      const sizes = Object.fromEntries(letters.map((letter) => [letter, pick([1, 2, 3, 4])]));
      const terms = Array.from({ length: whole(1, 3) }, () => Array.from({ length: whole(0, 4) }, () => pick(letters)));
      const used = [...new Set(terms.flat())].sort(() => pick([-1, 1]));
      const output = used.slice(0, whole(0, used.length));
      const arrays = terms.map((term) => array(term.map((axis) => sizes[axis]!)));
      const compact = `${terms.map((term) => term.join("")).join(",")}->${output.join("")}`;
      const spaced = `${terms.map((term) => term.map((axis) => `ax_${axis}`).join(" ")).join(", ")} -> ${output.map((axis) => `ax_${axis}`).join(" ")}`;
      const expected = loops(terms, output, arrays);
      assertClose(call(compact, ...arrays.map((x) => toTensor(x))), expected, 1e-4, compact);
      if (/ /.test(spaced.replace(/, | -> /g, "")))
        assertClose(call(spaced, ...arrays.map((x) => toTensor(x))), expected, 1e-4, spaced);
    });
});

test("the gradient of an operand of einsum is an einsum of the other operands", () => {
  const { array } = dice(4);
  for (const [pattern, shapes] of [
    [
      "b t d, d h -> b t h",
      [
        [2, 3, 4],
        [4, 5],
      ],
    ],
    [
      "b h q d, b h k d -> b h q k",
      [
        [2, 3, 4, 5],
        [2, 3, 6, 5],
      ],
    ],
    [
      "b q d, b k d -> b k q",
      [
        [2, 4, 5],
        [2, 6, 5],
      ],
    ],
    [
      "i i, i j -> j",
      [
        [3, 3],
        [3, 2],
      ],
    ],
    ["a b, b, b c -> a c", [[2, 3], [3], [3, 2]]],
  ] as const) {
    const [left, right] = pattern.split("->").map((side) => side.trim()) as [string, string];
    const terms = left.split(",").map((term) => term.trim().split(" "));
    const output = right.split(" ");
    const arrays = shapes.map((shape) => array(shape));
    const sizes = new Map(terms.flatMap((term, n) => term.map((axis, i) => [axis, shapes[n]![i]!] as const)));
    const dy = array(output.map((axis) => sizes.get(axis)!));
    const f = (...xs: ReturnType<typeof toTensor>[]) =>
      call(pattern, ...xs)
        .mul(toTensor(dy))
        .sum();
    const gradients = tf.grads(f as never)(arrays.map((x) => toTensor(x)));
    for (const [n, term] of terms.entries()) {
      if (new Set(term).size < term.length) continue;
      const others = [...terms.filter((_, i) => i !== n), output];
      const values = [...arrays.filter((_, i) => i !== n), dy];
      assertClose(gradients[n]!, loops(others, term, values), 1e-4, `${pattern}, operand ${n}`);
    }
  }
});

test("the gradient through a diagonal reaches the diagonal only", () => {
  const gradient = tf.grad((x) => einsum("ii->i", x).sum())(tf.ones([3, 3]));
  assert.deepEqual(gradient.arraySync(), [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
});

test("an ellipsis broadcasts, and a pattern without an arrow sorts the axes that appear once", () => {
  const { array } = dice(5);
  const [a, b] = [array([2, 1, 3, 4]), array([5, 4, 2])];
  const result = call("...ij,...jk->...ik", toTensor(a), toTensor(b));
  assertClose(result, { shape: [2, 5, 3, 2], data: [...matmul(toTensor(a), toTensor(b)).dataSync()] });
  const [c, d] = [array([3, 2]), array([2, 4])];
  assertClose(
    call("ba,ac", toTensor(c), toTensor(d)),
    loops(
      [
        ["b", "a"],
        ["a", "c"],
      ],
      ["b", "c"],
      [c, d],
    ),
  );
  assertClose(call("zb", toTensor(c)), loops([["z", "b"]], ["b", "z"], [c]));
});

test("einsum reports the axis, operand or name that does not fit", () => {
  const [x, w] = [tf.zeros([2, 3, 4]), tf.zeros([5, 6])];
  const message = (pattern: string, ...operands: unknown[]) => {
    try {
      call(pattern, ...operands);
    } catch (error) {
      return String(error);
    }
    return "no error";
  };
  const p = "b t d, d h -> b t h";
  assert.equal(message(p, x, w), `ShapeError: einsum \`${p}\`: axis d is both 4 and 5`);
  assert.equal(message(p, w, w), `ShapeError: einsum \`${p}\`: \`b t d\` does not fit the shape [5, 6]`);
  assert.equal(message(p, x), `ShapeError: einsum \`${p}\`: expected 2 tensors, got 1`);
  assert.equal(message("i j -> k", w), `ShapeError: einsum \`i j -> k\`: output axis k is not in any operand`);
  assert.equal(message("i j -> i i", w), `ShapeError: einsum \`i j -> i i\`: output axis i appears twice`);
  assert.equal(message("i j+ -> i", w), `ShapeError: einsum \`i j+ -> i\`: \`j+\` is not a valid axis name`);
  const clash = message("n d, n h -> d h", named(tf.zeros([2, 3]), ["batch", 3]), named(tf.zeros([2, 4]), ["time", 4]));
  assert.equal(clash, "ShapeError: einsum `n d, n h -> d h`: axis n is both batch=2 and time=2");
});

test("einsum keeps the names of its operands' axes", () => {
  const x = named(tf.zeros([2, 3, 4]), ["batch", "time", 4]);
  const w = named(tf.zeros([4, 5]), [4, "hidden"]);
  assert.deepEqual(namesOf(einsum("b t d, d h -> b h t", x, w)), ["batch", "hidden", "time"]);
});

test("matmul multiplies as numpy.matmul: vectors, batches that broadcast, empty axes", () => {
  const { array, pick, whole } = dice(6);
  for (let round = 0; round < 60; round++)
    tidily(() => {
      const [m, k, n] = [pick([0, 1, 2, 3]), pick([0, 1, 2, 3]), pick([1, 2, 3])];
      const batch = Array.from({ length: whole(0, 2) }, () => pick([1, 2, 3]));
      const other = batch.map((d) => pick([1, d])).slice(whole(0, batch.length));
      const [a, b] = [array([...batch, m, k]), array([...other, k, n])];
      const expected = reference(a, b);
      assertClose(matmul(toTensor(a), toTensor(b)), expected, 1e-5, `${a.shape} by ${b.shape}`);
    });
  const [v, w] = [array([3]), array([2, 3, 4])];
  const row = reference({ ...v, shape: [1, 3] }, w);
  assertClose(matmul(toTensor(v), toTensor(w)), { ...row, shape: [2, 4] });
  const column = reference({ ...w, shape: [2, 4, 3] }, { ...v, shape: [3, 1] });
  assertClose(matmul(toTensor({ ...w, shape: [2, 4, 3] }), toTensor(v)), { ...column, shape: [2, 4] });
  assertClose(matmul(toTensor(v), toTensor(v)), { shape: [], data: [v.data.reduce((sum, x) => sum + x * x, 0)] });
});

test("the gradient of a broadcast matmul is summed over the axes that were broadcast", () => {
  const { array } = dice(7);
  const [a, b, dy] = [array([2, 1, 3, 4]), array([5, 4, 2]), array([2, 5, 3, 2])];
  const f = (x: unknown, y: unknown) =>
    matmul(x as never, y as never)
      .mul(toTensor(dy))
      .sum();
  const [da, db] = tf.grads(f as never)([toTensor(a), toTensor(b)]) as [never, never];
  const terms = { a: ["x", "o", "i", "j"], b: ["y", "j", "k"], y: ["x", "y", "i", "k"] };
  assertClose(da, loops([terms.b, terms.y, ["o"]], terms.a, [b, dy, { shape: [1], data: [1] }]), 1e-4);
  assertClose(db, loops([["x", "i", "j"], terms.y], terms.b, [{ ...a, shape: [2, 3, 4] }, dy]), 1e-4);
});

function reference(a: NdArray, b: NdArray): NdArray {
  const rank = Math.max(a.shape.length, b.shape.length);
  const name = (i: number) => `axis${i}`;
  const lead = (x: NdArray) => x.shape.slice(0, -2).map((d, i) => ({ d, axis: name(rank - x.shape.length + i) }));
  const kept = (x: NdArray) => lead(x).filter(({ d }) => d !== 1);
  const batch = Array.from({ length: rank - 2 }, (_, i) => name(i));
  const one = (x: NdArray, last: string[]): [string[], NdArray] => [
    [...kept(x).map(({ axis }) => axis), ...last],
    { data: x.data, shape: [...kept(x).map(({ d }) => d), ...x.shape.slice(-2)] },
  ];
  const [left, right] = [one(a, ["i", "j"]), one(b, ["j", "k"])];
  const present = batch.filter((axis) => left[0].includes(axis) || right[0].includes(axis));
  const result = loops([left[0], right[0]], [...present, "i", "k"], [left[1], right[1]]);
  const shape = batch.map((axis) => (present.includes(axis) ? result.shape[present.indexOf(axis)]! : 1));
  return { data: result.data, shape: [...shape, ...result.shape.slice(-2)] };
}

for (const onednn of ["1", "0"])
  test(`batched products and their gradients broadcast as numpy.matmul with TF_ENABLE_ONEDNN_OPTS=${onednn}`, async () => {
    const program = fileURLToPath(new URL("./products.js", import.meta.url));
    const env = { ...process.env, TF_ENABLE_ONEDNN_OPTS: onednn };
    const { stdout } = await promisify(execFile)(process.execPath, ["--enable-source-maps", program], { env });
    assert.equal(stdout, "right\n");
  });
