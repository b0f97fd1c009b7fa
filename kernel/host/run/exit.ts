import { type Shared, slots } from "./shared.ts";

const leavingTimeout = 200;

type Exit = (code?: number) => never;

const { kill, pid, platform } = process;

/** Kills this process and its process group, which contains the cells' child processes. */
export function endGroup(): void {
  if (platform !== "win32") {
    try {
      kill(-pid, "SIGKILL");
    } catch {
      // The process was started by hand and is not the leader of a group.
    }
  }
  kill(pid, "SIGKILL");
}

/** Makes `process.exit` close both inspector sessions after the user's exit handlers have run. */
export function installExit(shared: Shared, disconnect: () => void): void {
  const exiting = process as unknown as { reallyExit: Exit };
  const exit = exiting.reallyExit.bind(process);
  const { store, notify, wait } = Atomics;
  exiting.reallyExit = (code) => {
    disconnect();
    store(shared, slots.leaving, 1);
    notify(shared, slots.leaving);
    wait(shared, slots.leaving, 1, leavingTimeout);
    return exit(code);
  };
}
