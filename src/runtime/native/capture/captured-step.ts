import type { Replay } from "./replay.ts";
import type { CapturedFunction } from "./shared-functions.ts";
import type { Trace } from "./trace.ts";

/** A step that was recorded, and its function. */
export interface CapturedStep {
  readonly signature: string;
  /** The same for steps that differ in nothing but shapes and the values that decide them. */
  readonly form: string;
  /** Of what it was given, if that is known. */
  readonly size: number | undefined;
  readonly trace: Trace;
  /** By upload: whether its values are part of the function. */
  readonly constant: readonly boolean[];
  /** By external: whether it must be the same tensor, because its values decide shapes. */
  readonly pinned: readonly boolean[];
  readonly fn: CapturedFunction;
  /** How it is called without its JavaScript, or why not; undefined where that was not asked for. */
  readonly replay: Replay | { refused: string } | undefined;
}
