/** The first signal ends the work in good order; a second one ends this process at once. */
export function stopOnSignal(): { signal: AbortSignal; exitCode(): number } {
  const controller = new AbortController();
  let code = 130;
  process.once("SIGINT", () => controller.abort());
  process.once("SIGTERM", () => {
    code = 143;
    controller.abort();
  });
  return { signal: controller.signal, exitCode: () => code };
}
