import assert from "node:assert/strict";
import { test } from "node:test";
import { addCell, findCell, type HostCell } from "../../kernel/host/run/cells.ts";
import { HostCalls } from "../../kernel/session/calls.ts";
import { Recent } from "../../kernel/session/recent.ts";

test("a session's history is limited in count and size, and reports how much it dropped", () => {
  const recent = new Recent<string>({ items: 3, size: 10 }, (text) => text.length);
  const gone = ["a", "b", "c", "d", "123456789", "a text longer than all", "e"].map((text) => recent.add(text));
  assert.deepEqual(gone, [[], [], [], ["a"], ["b", "c"], ["d", "123456789"], ["a text longer than all"]]);
  assert.deepEqual(recent.items, ["e"]);
  assert.equal(recent.dropped, 6);
});

test("the host drops the sources of the oldest ended cells when they take more than 64 MB", () => {
  const source = "x".repeat(1 << 20);
  const cell = (id: number, settled: boolean): HostCell =>
    ({ id, label: `cell [${id}]`, source, maps: [], settled, atEnd: [] }) as unknown as HostCell;
  const cells = Array.from({ length: 100 }, (_, index) => cell(index + 1, true));
  const gone = cells.flatMap((each) => addCell(each));
  assert.deepEqual(
    gone.map(({ id }) => id),
    cells.slice(0, 37).map(({ id }) => id),
  );
  assert.deepEqual([findCell(37), findCell(38)?.id, findCell(100)?.id], [undefined, 38, 100]);
  const running = cell(101, false);
  addCell(running);
  for (let id = 102; id < 300; id++) addCell(cell(id, true));
  assert.equal(findCell(101), running, "one that runs can still be stopped");
});

test("requests to a busy host are refused when 10,000 wait", async () => {
  const calls = new HostCalls();
  const asked = Array.from({ length: 10_000 }, () => calls.ask(() => {}, "comm", {}));
  assert.throws(() => calls.ask(() => {}, "comm", {}), /the program is busy: 10000 questions wait for an answer/);
  calls.drop();
  await Promise.all(asked);
  const again = calls.ask(() => {}, "comm", {});
  calls.drop();
  assert.equal(await again, undefined);
});
