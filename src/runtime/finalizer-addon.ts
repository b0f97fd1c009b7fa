// What the compiled addon offers.
/** Hears which objects have died. A key is a number that the caller chose. */
export interface FinalizationQueue {
  /** The first number is not 0 when keys wait to be taken; cheap enough to look at before every op. */
  readonly waiting: Int32Array;
  watch(object: object, key: number): void;
  /** The keys of the objects that died since the last call. */
  take(): ArrayLike<number>;
}

/** The addon of `finalizer.cc` and `stderr.cc`. */
export interface FinalizerAddon extends FinalizationQueue {
  weaken(object: object): number;
  reach(number: number): object | undefined;
  forget(number: number): void;
  /** Keeps signals from this thread, and from threads that it starts, until it is called with false. */
  hold(on: boolean): void;
  /** A process that does not end by itself within `seconds` after the signal is ended. What listens to the signal must listen already. */
  endAfter(signal: number, seconds: number): void;
  /** From now on what is written to file descriptor 2 is held back; throws where that cannot be. */
  holdStderr(): void;
  /** Gives stderr back, and returns what was written meanwhile. */
  releaseStderr(): Uint8Array;
}
