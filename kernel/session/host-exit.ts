import { formatBytes } from "../../src/base/bytes.ts";
import type { MemoryFigures } from "../protocol/host.ts";
import type { Output } from "../protocol/output.ts";

export type ErrorOutput = Extract<Output, { type: "error" }>;

/** Why the session itself ended a host. `garbled`: the program used a pipe of the kernel's. */
export type EndReason = "interrupt" | "restart" | "garbled";

/** How a host process ended, and its last known state. */
export interface HostExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Set when the session itself ended it. */
  reason?: EndReason;
  /** What V8 wrote to stderr before it aborted. */
  abortText: string;
  memory: MemoryFigures | undefined;
  interruptGrace: number;
}

/** What V8 and Node print when they abort, or exit while an inspector is open. It is not shown as it is. */
export const abortTextStart =
  /\n?<--- Last few GCs --->|\n?#\n# Fatal |FATAL ERROR: |----- (?:Native|JavaScript) stack trace -----|Waiting for the debugger to disconnect\.\.\./;

/** Explains how the host ended: what happened, the last memory figures, what to do. */
export function explainExit(exit: HostExit): ErrorOutput {
  const { ename, evalue, advice } = cause(exit);
  const memory =
    exit.memory && exit.reason === undefined ? [`Memory when last measured: ${describeMemory(exit.memory)}.`] : [];
  return {
    type: "error",
    ename,
    evalue,
    traceback: [
      `${ename}: ${evalue}`,
      ...memory,
      ...advice,
      "All variables are lost. The next cell runs in a new process.",
    ],
  };
}

function cause(exit: HostExit): { ename: string; evalue: string; advice: string[] } {
  const { code, signal, reason, abortText } = exit;
  if (reason === "interrupt") {
    const evalue = `the cell did not stop within ${exit.interruptGrace / 1000} s of the interrupt, so its process was ended`;
    return {
      ename: "KeyboardInterrupt",
      evalue,
      advice: ["It was in a native call that did not return to JavaScript."],
    };
  }
  if (reason === "garbled") {
    const evalue =
      "the program wrote to a file descriptor of the kernel's (3 to 6) or closed it, so its process was ended";
    return { ename: "Crash", evalue, advice: ["Use the descriptors that open or openSync returns."] };
  }
  if (reason === "restart") return { ename: "Restarted", evalue: "the session was restarted", advice: [] };
  if (/heap out of memory|Allocation failed|invalid table size|OOMError/i.test(abortText)) {
    const advice = "Keep less data in JavaScript arrays, or start with NODE_OPTIONS=--max-old-space-size=<MB>.";
    return { ename: "OutOfMemory", evalue: "the JavaScript heap is full", advice: [advice] };
  }
  if (signal === "SIGKILL") {
    const evalue = "the process was killed from outside (SIGKILL), which is what the system does when memory runs out";
    return {
      ename: "OutOfMemory",
      evalue,
      advice: ["Use smaller batches, checkpoint or autocast, or set a memoryBudget."],
    };
  }
  if (signal !== null) {
    const words = crashes[signal] ?? "was ended by a signal";
    const fatalLine = /Fatal [^\n]*|FATAL ERROR: [^\n]*/.exec(abortText)?.[0];
    const advice = fatalLine ? [fatalLine] : [];
    return { ename: "Crash", evalue: `the process ${words} (${signal})`, advice };
  }
  return { ename: "ProcessExit", evalue: `the process ended itself with exit code ${code} (process.exit)`, advice: [] };
}

const crashes: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: "crashed in native code: invalid memory access",
  SIGBUS: "crashed in native code: bus error",
  SIGABRT: "aborted",
  SIGILL: "crashed in native code: the processor does not support an instruction",
  SIGFPE: "crashed in native code: arithmetic error",
  SIGTERM: "was terminated from outside",
};

function describeMemory({ rss, heapUsed, heapLimit }: MemoryFigures): string {
  // The heap is measured by the main thread, which may have had no time to answer.
  const heap = heapUsed > 0 ? `, of which JavaScript heap ${formatBytes(heapUsed)}` : "";
  return `${formatBytes(rss)} resident${heap} (heap limit ${formatBytes(heapLimit)})`;
}
