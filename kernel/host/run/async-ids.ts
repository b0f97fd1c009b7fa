/**
 * Node keeps a stack of async ids for each callback that it is inside of. Code that is terminated pops none, and Node
 * aborts on the rest ("async hook stack has become corrupted"). It has a function that clears the stack, for uncaught
 * exceptions; Node 20 and 22 let one reach it, later ones need it less, because AsyncLocalStorage no longer uses hooks.
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
