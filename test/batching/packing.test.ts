import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { pack, packedPlan, planStatistics } from "../../src/batching/index.ts";
import { random } from "../../src/data/index.ts";

/** Appendix of Krell et al. 2021 (arXiv 2107.02027): packs as [how often, lengths], from a histogram of lengths 1 to `longest`. */
function krell(histogram: number[], longest: number, most: number): number {
  type Packs = Map<number, [number, number[]][]>;
  const open: Packs = new Map();
  const closed: Packs = new Map();
  const add = (pack: number[], count: number, room: number) => {
    const into = pack.length === most || room === 0 ? closed : open;
    into.set(room, [...(into.get(room) ?? []), [count, pack]]);
  };
  for (let i = 0; i < longest; i++) {
    let left = histogram[longest - 1 - i]!;
    const length = longest - i;
    let offset = i + 1;
    while (left > 0) {
      const packs = open.get(length + offset);
      if (packs) {
        const [count, pack] = packs.pop()!;
        const used = Math.min(count, left);
        if (count > left) packs.push([count - left, pack]);
        left -= used;
        add([...pack, length], used, offset);
        if (packs.length === 0) open.delete(length + offset);
      } else offset--;
      if (offset < 0) {
        add([length], left, i);
        left = 0;
      }
    }
  }
  return [...open.values(), ...closed.values()].flat().reduce((sum, [count]) => sum + count, 0);
}

const someLengths = fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 60 });
const rowsOf = (lengths: number[], options: Omit<Parameters<typeof packedPlan>[1], "batchSize">) =>
  packedPlan(lengths, { batchSize: 1000, ...options }).epoch(0)[0]!.rows;

describe("shortest pack first", () => {
  test("puts the longest sequences first, each into the emptiest row with room", () => {
    fc.assert(
      fc.property(someLengths, (lengths) => {
        const filled: number[] = [];
        for (const length of lengths.toSorted((a, b) => b - a)) {
          const emptiest = filled.indexOf(Math.min(...filled));
          if (emptiest >= 0 && filled[emptiest]! + length <= 16) filled[emptiest]! += length;
          else filled.push(length);
        }
        const found = rowsOf(lengths, { maxLength: 16 }).map((row) => row.reduce((sum, i) => sum + lengths[i]!, 0));
        assert.deepEqual(
          found.toSorted((a, b) => a - b),
          filled.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  test("needs no more rows than the paper's histogram algorithm for the lengths of text", () => {
    const rng = random(2);
    for (const most of [3, 1000]) {
      const lengths = Array.from({ length: 3000 }, () => Math.min(128, Math.ceil(Math.exp(3 + 0.8 * rng.normal()))));
      const histogram = Array.from({ length: 128 }, (_, i) => lengths.filter((length) => length === i + 1).length);
      const rows = packedPlan(lengths, { maxLength: 128, maxSequencesPerRow: most, batchSize: 3000 }).epoch(0)[0]!.rows;
      assert.ok(rows.length <= krell(histogram, 128, most), `${rows.length} rows`);
      for (const row of rows) assert.ok(row.length <= most);
    }
  });

  test("packs the lengths of text almost without padding, where fixed rows are mostly padding", () => {
    const rng = random(1);
    const lengths = Array.from({ length: 5000 }, () => Math.min(512, Math.ceil(Math.exp(4.5 + rng.normal()))));
    const { paddingShare, useful } = planStatistics(packedPlan(lengths, { maxLength: 512, batchSize: 8, seed: 1 }));
    assert.ok(1 - useful / (512 * 5000) > 0.7);
    assert.ok(paddingShare < 0.01, `${paddingShare}`);
  });
});

test("first fit puts each sequence into the first row with room", () => {
  fc.assert(
    fc.property(someLengths, fc.constantFrom(2, 1000), (lengths, maxSequencesPerRow) => {
      const rows: number[][] = [];
      lengths.forEach((length, i) => {
        const fits = (row: number[]) =>
          row.length < maxSequencesPerRow && row.reduce((sum, j) => sum + lengths[j]!, length) <= 16;
        const row = rows.find(fits);
        if (row) row.push(i);
        else rows.push([i]);
      });
      assert.deepEqual(
        rowsOf(lengths, { maxLength: 16, maxSequencesPerRow, algorithm: "first-fit", longestFirst: false }),
        rows,
      );
    }),
  );
});

describe("pack", () => {
  test("puts sequences side by side, each with its own positions and segment", () => {
    const batch = pack([[1, 2, 3], [4, 5], [6]], { maxLength: 5 });
    assert.deepEqual([batch.rows, batch.time, batch.segmentsPerRow], [2, 5, 1 + Number(batch.rows === 2)]);
    assert.deepEqual([...batch.ids], [1, 2, 3, 4, 5, 6, 0, 0, 0, 0]);
    assert.deepEqual([...batch.positions], [0, 1, 2, 0, 1, 0, 0, 0, 0, 0]);
    assert.deepEqual([...batch.segments], [1, 1, 1, 2, 2, 1, 0, 0, 0, 0]);
    assert.deepEqual([...batch.lengths], [3, 2, 1]);
    assert.deepEqual([...batch.indices], [0, 1, 2]);
  });

  test("truncates sequences longer than a row and counts it", () => {
    const batch = pack([[1, 2, 3, 4], [5]], { maxLength: 3, truncate: "start" });
    assert.deepEqual(batch.truncated, { sequences: 1, tokens: 1 });
    assert.deepEqual([...batch.ids], [2, 3, 4, 5, 0, 0]);
    assert.throws(() => pack([[1, 2, 3, 4]], { maxLength: 3, truncate: false }), /sequence 0 has 4 tokens/);
    assert.throws(() => pack([[1]], { maxLength: 3, maxSequencesPerRow: 0 }), /maxSequencesPerRow must be/);
  });
});
