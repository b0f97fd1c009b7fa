// The interface of the compiled addon.
/** Records which objects were collected. A key is a number chosen by the caller. */
export interface FinalizationQueue {
  /** The first number is the count of keys that wait to be taken; cheap enough to read before every op. */
  readonly waiting: Int32Array;
  watch(object: object, key: number): void;
  /** The keys of the objects collected since the last call. */
  take(): ArrayLike<number>;
}

/** The addon of `finalizer.cc` and `stderr.cc`. */
export interface FinalizerAddon extends FinalizationQueue {
  weaken(object: object): number;
  reach(number: number): object | undefined;
  forget(number: number): void;
  /** `true` blocks signals in this thread and in threads that it starts; `false` unblocks them. */
  hold(on: boolean): void;
  /**
   * Ends the process when it is still running `seconds` after the signal. Listeners of the signal must be added before this
   * call.
   */
  endAfter(signal: number, seconds: number): void;
  /** Redirects file descriptor 2 (stderr) to a temporary file; throws when that fails. */
  holdStderr(): void;
  /** Restores stderr and returns what was written in the meantime. */
  releaseStderr(): Uint8Array;
}
