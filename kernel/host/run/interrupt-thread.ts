/// <reference lib="es2024.sharedmemory" />
/**
 * The guard thread. The main thread runs user code and may not respond for a long time. This thread does: it stops
 * the main thread on request, and reports its memory use.
 */

import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { Socket } from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";
import { encodeFrame, FrameReader } from "../../protocol/frames.ts";
import { fds, type GuardCommand, type GuardEvent } from "../../protocol/host.ts";
import { blockedInChild, signalTree } from "./children.ts";
import { DebugPipe } from "./debug-pipe.ts";
import { endGroup } from "./exit.ts";
import { type Shared, slots } from "./shared.ts";

const { shared, hostName, heapLimit, answers } = workerData as {
  shared: Shared;
  hostName: string;
  heapLimit: number;
  answers: MessagePort;
};

const session = new Session();
session.connectToMainThread();

/** Milliseconds from an answer to the next request. */
const pause = 10;
/** Milliseconds after which an unconfirmed termination is requested again. */
const comesWithin = 300;
/** Milliseconds without an answer after which the main thread must be in native code. */
const nativeAfter = 150;
const watchEvery = 50;
const sampleEvery = 200;

const debugPipe = new DebugPipe();
const reader = new FrameReader();
const pipe = new Socket({ fd: fds.guard });
pipe.on("data", (chunk: Buffer) => {
  for (const frame of reader.read(chunk)) {
    const command = JSON.parse(frame.body.toString("utf8")) as GuardCommand;
    if (command.type === "interrupt") interrupt(command.request, command.cells);
    else {
      answers.postMessage(command);
      Atomics.add(shared, slots.answers, 1);
      Atomics.notify(shared, slots.answers);
    }
  }
});
// The session has ended, and nothing else would end this process.
pipe.on("close", endGroup);
pipe.on("error", endGroup);

/**
 * Requests that the main thread ends these cells. The request is evaluated there even during a loop. If user code is on the
 * stack, the answer is to terminate it; otherwise the main thread ends the cells itself. A request is repeated only after its
 * answer: two at once would find the same code twice, and the second termination would hit the code that runs next.
 */
function interrupt(request: number, cells: number[]): void {
  // The URL of this file hides the frame from stack traces.
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
    // In a step of the debugger V8 would look at each call of the expression, which can take longer than an interrupt may.
    session.post("Runtime.evaluate", { expression, disableBreaks: true }, (_error, answer) => {
      answered = true;
      if (readAnswer(answer) !== "terminate") {
        setTimeout(ask, pause);
        return;
      }
      // If this request came before the termination, the host would end the cells itself.
      const timer = setTimeout(ask, comesWithin);
      session.post("Runtime.evaluate", { expression: `${hostName}.clearAsyncIds()`, disableBreaks: true });
      session.post("Runtime.terminateExecution", () => {
        clearTimeout(timer);
        setTimeout(ask, pause);
      });
      // Code that a debugger has stopped goes on only now, to its end.
      debugPipe.release();
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

// Otherwise Node would print "Waiting for the debugger to disconnect..." to stderr.
void Promise.resolve(Atomics.waitAsync(shared, slots.leaving, 0).value).then(() => {
  session.disconnect();
  debugPipe.detach();
  Atomics.store(shared, slots.leaving, 2);
  Atomics.notify(shared, slots.leaving);
});

setInterval(() => {
  if (Atomics.load(shared, slots.running) > 0) sample();
}, sampleEvery);

/** Reports the process's memory at once, and the heap's size when the main thread answers, which needs running JavaScript. */
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
