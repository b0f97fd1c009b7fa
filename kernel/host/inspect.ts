/** V8's inspector for debuggers other than the kernel's own: Chrome and VS Code. */
import inspector from "node:inspector";
import { openInspector } from "./inspector-session.ts";
import { answerCalls } from "./io/calls.ts";

const { open, url, waitForDebugger } = inspector;
const { nextTick } = process;
type Post = (method: string, parameters: object, done: () => void) => void;
const ignore = () => {};

export function installInspect(): void {
  answerCalls("openInspector", () => {
    open(0, "127.0.0.1");
    // Right after the answer: a debugger that attaches at once would otherwise say that it is there before this thread
    // waits, which then never ends.
    nextTick(waitForDebugger);
    return url();
  });
  // This thread reads the call when it no longer waits.
  answerCalls("isAttached", () => true);
  let post: Post | undefined;
  /** A debugger shows the script, which does not run. */
  answerCalls("showScript", ({ script, url }: { script: string; url: string }) => {
    if (!post) {
      ({ post } = openInspector<Post>());
      post("Runtime.enable", {}, ignore);
    }
    post("Runtime.compileScript", { expression: script, sourceURL: url, persistScript: true }, ignore);
  });
}
