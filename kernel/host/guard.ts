/** The guard thread: it can stop the main thread when that does not listen. */
import { Session } from "node:inspector";
import { Socket } from "node:net";
import { parentPort } from "node:worker_threads";
import { FrameReader } from "./frames.ts";
import { fds, type GuardCommand } from "./protocol.ts";

const session = new Session();
session.connectToMainThread();
let handled: Int32Array<SharedArrayBuffer>;
parentPort!.once("message", (message: { handled: Int32Array<SharedArrayBuffer> }) => {
  handled = message.handled;
});

const reader = new FrameReader();
const pipe = new Socket({ fd: fds.guard });
pipe.on("data", (chunk: Buffer) => {
  for (const frame of reader.read(chunk)) {
    const command = JSON.parse(frame.body.toString("utf8")) as GuardCommand;
    if (command.type === "interrupt") interrupt();
  }
});
pipe.on("close", () => process.kill(process.pid, "SIGKILL"));

/** Time for the main thread to answer before it is taken to be busy. */
const patience = 20;

function interrupt(): void {
  const before = Atomics.load(handled, 0);
  parentPort!.postMessage("interrupt");
  const terminateUnlessHandled = () => {
    if (Atomics.load(handled, 0) !== before) return;
    session.post("Runtime.terminateExecution", () => {});
    setTimeout(terminateUnlessHandled, patience);
  };
  setTimeout(terminateUnlessHandled, patience);
}
