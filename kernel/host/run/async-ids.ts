/**
 * Clears Node's stack of async ids. Node pushes an id for each callback that it enters. Terminated code does not pop its ids,
 * and Node then aborts ("async hook stack has become corrupted"). Node has a function that clears the stack after uncaught
 * exceptions. Node 20 and 22 give access to it. Later versions need it less, because their AsyncLocalStorage uses no hooks.
 */
export const clearAsyncIds: () => void = findClear();

function findClear(): () => void {
  const { noDeprecation } = process;
  try {
    process.noDeprecation = true;
    const { binding } = process as unknown as { binding(name: string): { clearAsyncIdStack?: () => void } };
    return binding("async_wrap").clearAsyncIdStack ?? (() => {});
  } catch {
    return () => {};
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}
