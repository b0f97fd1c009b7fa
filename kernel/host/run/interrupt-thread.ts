/// <reference lib="es2024.sharedmemory" />
/**
 * The guard thread. The main thread runs user code and may not respond for a long time. This thread does: it stops
 * the main thread on request, and reports its memory use.
 */

import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { Socket } from "node:net";
import { workerData } from "node:worker_threads";
import { encodeFrame, FrameReader } from "../../protocol/frames.ts";
import { fds, type GuardCommand, type GuardEvent } from "../../protocol/host.ts";
import { blockedInChild, signalTree } from "./children.ts";
import { endGroup } from "./exit.ts";
import { type Shared, slots } from "./shared.ts";

const { shared, hostName, heapLimit } = workerData as { shared: Shared; hostName: string; heapLimit: number };

const session = new Session();
session.connectToMainThread();

/** Milliseconds from an answer to the next question. */
const pause = 10;
/** Milliseconds after which an unconfirmed termination is requested again. */
const comesWithin = 300;
/** Milliseconds without an answer after which it is not JavaScript that keeps the main thread. */
const nativeAfter = 150;
const watchEvery = 50;
const sampleEvery = 200;

const reader = new FrameReader();
const pipe = new Socket({ fd: fds.guard });
pipe.on("data", (chunk: Buffer) => {
  for (const frame of reader.read(chunk)) {
    const command = JSON.parse(frame.body.toString("utf8")) as GuardCommand;
    if (command.type === "interrupt") interrupt(command.request, command.cells);
  }
});
// The session is gone, and nothing else would end this process.
pipe.on("close", endGroup);
pipe.on("error", endGroup);

/**
 * Asks the main thread to end these cells. The question is evaluated there even inside a loop; if it finds the user's
 * code on the stack it wants that terminated, else it ends the cells itself. It is asked again only when it was
 * answered: two questions at once would find the same code twice, and the second termination would hit what comes next.
 */
function interrupt(request: number, cells: number[]): void {
  // Named as the host's own, so that no stack shows it.
  const expression = `${hostName}.interrupt(${request},${JSON.stringify(cells)})\n//# sourceURL=${import.meta.url}`;
  let asked = 0;
  let answered = true;
  let signal: NodeJS.Signals = "SIGINT";
  const ask = () => {
    if (Atomics.load(shared, slots.interrupted) >= request) {
      clearInterval(watch);
      tell({ type: "interrupted", request });
      return;
    }
    answered = false;
    asked = performance.now();
    session.post("Runtime.evaluate", { expression }, (_error, answer) => {
      answered = true;
      if (readAnswer(answer) !== "terminate") {
        setTimeout(ask, pause);
        return;
      }
      // Asked again before the termination has come, the host would take it upon itself.
      const timer = setTimeout(ask, comesWithin);
      session.post("Runtime.evaluate", { expression: `${hostName}.clearAsyncIds()` });
      session.post("Runtime.terminateExecution", () => {
        clearTimeout(timer);
        setTimeout(ask, pause);
      });
    });
  };
  const watch = setInterval(() => {
    if (answered || performance.now() - asked < nativeAfter) return;
    asked = performance.now();
    const child = blockedInChild();
    if (child === undefined) return;
    Atomics.store(shared, slots.unblocked, request);
    signalTree(child, signal);
    signal = "SIGKILL";
  }, watchEvery);
  ask();
}

function readAnswer(answer: object | undefined): unknown {
  return (answer as { result?: { value?: unknown } } | undefined)?.result?.value;
}

// Node would say "Waiting for the debugger to disconnect..." on stderr.
void Promise.resolve(Atomics.waitAsync(shared, slots.leaving, 0).value).then(() => {
  session.disconnect();
  Atomics.store(shared, slots.leaving, 2);
  Atomics.notify(shared, slots.leaving);
});

setInterval(() => {
  if (Atomics.load(shared, slots.running) > 0) sample();
}, sampleEvery);

/** The heap's size is asked of the main thread and comes when that runs JavaScript; the process's size is known here. */
function sample(): void {
  report();
  session.post("Runtime.getHeapUsage", (error, usage) => {
    if (error) return;
    lastHeapUsed = (usage as { usedSize: number }).usedSize;
    report();
  });
}

function report(): void {
  tell({ type: "memory", memory: { rss: process.memoryUsage.rss(), heapUsed: lastHeapUsed, heapLimit } });
}
let lastHeapUsed = 0;

function tell(event: GuardEvent): void {
  try {
    writeSync(fds.guard, encodeFrame(event));
  } catch {
    // The pipe is full or closed: skip this sample.
  }
}
