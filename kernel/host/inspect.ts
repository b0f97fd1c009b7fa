/** V8's inspector for debuggers other than the kernel's own: Chrome and VS Code. */
import inspector from "node:inspector";
import { answerCalls } from "./io/calls.ts";

const { open, url, waitForDebugger } = inspector;

export function installInspect(): void {
  answerCalls("openInspector", () => {
    open(0, "127.0.0.1");
    return url();
  });
  answerCalls("waitForDebugger", () => waitForDebugger());
}
