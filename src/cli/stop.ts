import { constants } from "node:os";

/** As a shell sends them: for Ctrl-C, for `kill`, and when its terminal is closed. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first signal ends the work in good order; a second one ends this process at once. */
export function stopOnSignal(): { signal: AbortSignal; exitCode(): number } {
  const controller = new AbortController();
  let code = 0;
  for (const signal of signals)
    process.once(signal, () => {
      code ||= 128 + constants.signals[signal];
      // With its terminal closed there is nobody to write to, which must not end the work halfway.
      if (signal === "SIGHUP") for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
      controller.abort();
    });
  return { signal: controller.signal, exitCode: () => code };
}
