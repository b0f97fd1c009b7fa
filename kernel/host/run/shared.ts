/** Numbers that the main thread shares with the guard thread. */
export type Shared = Int32Array<SharedArrayBuffer>;

export const slots = {
  /** The last interrupt request that the main thread has handled. */
  interrupted: 0,
  /** The number of running cells. */
  running: 1,
  /** The last interrupt request for which the guard ended a child process that blocked the main thread. */
  unblocked: 2,
  /** 1 when the process is about to exit, 2 when the guard has disconnected from the main thread. */
  leaving: 3,
  /** How many answers to a waiting main thread the guard has passed on. */
  answers: 4,
} as const;

export function makeShared(): Shared {
  return new Int32Array(new SharedArrayBuffer(4 * Object.keys(slots).length));
}
