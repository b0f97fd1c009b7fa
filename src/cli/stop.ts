import { constants } from "node:os";

/** Sent for Ctrl-C, by `kill`, and when the terminal is closed. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first signal aborts the work, which then stops cleanly; a second one ends this process at once. */
export function stopOnSignal(): { signal: AbortSignal; exitCode(): number } {
  const controller = new AbortController();
  let code = 0;
  for (const signal of signals)
    process.once(signal, () => {
      code ||= 128 + constants.signals[signal];
      // After the terminal has closed, writes fail; these errors must not end the work halfway.
      if (signal === "SIGHUP") for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
      controller.abort();
    });
  return { signal: controller.signal, exitCode: () => code };
}
