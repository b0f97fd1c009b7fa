/** Several front ends of one kernel, and none. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { Dealer } from "zeromq";
import { endpoint } from "../../kernel/jupyter/connection.ts";
import type { Json } from "../../kernel/jupyter/messages.ts";
import { Wire } from "../../kernel/jupyter/wire.ts";
import type { Client } from "../jupyter/client.ts";
import { startDebugging } from "./client.ts";

const code = "function held(n: number) {\n  return n + 1;\n}\nheld(1)";

test("a second front end finds the stop and the breakpoints, and may move the program", async () => {
  const debug = await startDebugging();
  const { kernel } = debug;
  await debug.attach();
  await debug.breakpoints(code, 2);
  const cell = await debug.stops(code, "breakpoint");
  const second = secondFrontEnd(kernel);
  const { isStarted, stoppedThreads, breakpoints } = await second.ask("debugInfo");
  assert.deepEqual([isStarted, stoppedThreads, (breakpoints as Json[]).length], [true, [1], 1]);
  const { stackFrames } = await second.ask("stackTrace");
  assert.deepEqual(
    (stackFrames as { line: number }[]).map(({ line }) => line),
    [2, 4],
  );
  await second.ask("continue");
  await debug.event(cell, "continued");
  await debug.ends(cell, "execute_result");
  assert.equal(await debug.refusal("continue", { threadId: 1 }), "The program is not stopped.");
  second.close();
  // The first hears what is said about the second's requests.
  kernel.forget();
});

test("when the last front end has gone, stopped code goes on after a while", { timeout: 60_000 }, async () => {
  const debug = await startDebugging();
  const { kernel } = debug;
  await debug.attach();
  const file = path.join(kernel.folder, "went-on");
  await debug.stops(`debugger;\nprocess.getBuiltinModule("node:fs").writeFileSync("${file}", "yes");`, "breakpoint");
  kernel.iopub.unsubscribe("");
  while (!existsSync(file)) await after(100);
  kernel.iopub.subscribe("");
  kernel.kernel.kill("SIGKILL");
  await kernel.exited;
  kernel.forget();
});

/** A front end that sends requests on control, and does not listen to iopub. */
function secondFrontEnd({ connection }: Client) {
  const socket = new Dealer({ routingId: "second" });
  socket.connect(endpoint(connection, "control"));
  const wire = new Wire(connection.key);
  return {
    /** The body of the response. */
    async ask(command: string): Promise<Json> {
      const header = wire.header("debug_request");
      const content = { type: "request", seq: 1, command, arguments: { threadId: 1 } };
      await socket.send(wire.encode({ identities: [], header, parent: {}, metadata: {}, content, buffers: [] }));
      const { success, body, message } = wire.decode((await socket.receive()) as Buffer[]).content;
      assert.ok(success, String(message));
      return body as Json;
    },
    close: () => socket.close(),
  };
}
