/** Numbers that the main thread and the guard thread share. */
export type Shared = Int32Array<SharedArrayBuffer>;

export const slots = {
  /** The last interrupt request that the main thread has dealt with. */
  interrupted: 0,
  /** How many cells run. */
  running: 1,
  /** The last interrupt request for which the guard ended a child process that the main thread waited for. */
  unblocked: 2,
  /** 1 when the process is about to exit, 2 when the guard has disconnected from the main thread. */
  leaving: 3,
} as const;

export function makeShared(): Shared {
  return new Int32Array(new SharedArrayBuffer(4 * Object.keys(slots).length));
}
