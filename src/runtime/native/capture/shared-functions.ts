// The functions of TensorFlow that captured steps share: those of batches of several lengths, and of one training after another.
import { captureAddon } from "./addon.ts";
import { FUNCTION_PREFIX, functionKey, type StepFunction, stepFunction } from "./function.ts";
import type { Analysis, Trace } from "./trace.ts";

/** A function that a captured step uses until it removes it. */
export interface CapturedFunction extends StepFunction {
  remove(): void;
}

interface Shared {
  readonly fn: StepFunction;
  users: number;
}

/** As many functions without users are kept for the next training; each takes several megabytes. */
const IDLE = 4;
/** The last released comes last. */
const functions = new Map<string, Shared>();
let made = 0;

/**
 * The function of a trace, whose name begins with `title`.
 *
 * @throws Error when TensorFlow does not accept the graph
 */
export function sharedFunction(
  title: string,
  { form }: Pick<Analysis, "form">,
  trace: Trace,
  constant: readonly boolean[],
): CapturedFunction {
  const capture = captureAddon();
  if ("fault" in capture) throw new Error(capture.fault);
  const { addon } = capture;
  const key = `${title} ${form} ${functionKey(trace, constant)}`;
  const shared = functions.get(key) ?? {
    fn: stepFunction(addon, `${FUNCTION_PREFIX}${title}${++made}`, trace, constant),
    users: 0,
  };
  functions.set(key, shared);
  shared.users++;
  return {
    ...shared.fn,
    remove() {
      if (--shared.users > 0) return;
      functions.delete(key);
      functions.set(key, shared);
      const idle = [...functions].filter(([, { users }]) => users === 0);
      if (idle.length <= IDLE) return;
      const [oldest, removed] = idle[0]!;
      functions.delete(oldest);
      if (removed.fn.outputs.length > 0) addon.removeFunction(removed.fn.name);
    },
  };
}
