import assert from "node:assert/strict";
import { test } from "node:test";
import { Debugger } from "../../kernel/debug/debugger.ts";
import { openNotebook } from "../kernel/fixture.ts";

const waiting = `for (let turn = 0; turn < 3; turn++) await new Promise((go) => setTimeout(go, 1));
"done"`;

test("a cell runs to its end when the debugger ends while a pause looks for the cell's code", async () => {
  const { session, start } = openNotebook();
  for (let turn = 0; turn < 100; turn++) {
    const own = new Debugger(session, () => {});
    await own.attach();
    await own.pause();
    const running = start(waiting);
    const { inspector } = own.attached;
    // A pause finds Node's own code first, and takes steps out of it: the debugger ends after some of them.
    for (let asked = 0; asked < turn % 40; asked++) await inspector.post("Runtime.getIsolateId");
    await own.detach();
    assert.equal((await running.ended).text, "'done'");
  }
});
