/**
 * Calls back once the front end that started this kernel is gone, however it went. Front ends say that they are the parent by
 * `JPY_PARENT_PID`; without it the kernel was started by hand and may outlive its shell.
 */
export function watchParent(gone: () => void, env: NodeJS.ProcessEnv = process.env): void {
  if (!env.JPY_PARENT_PID) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, 1000);
  timer.unref();
}
