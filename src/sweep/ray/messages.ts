import * as v from "valibot";
import { messageParser, Parts, partMessage } from "../../ray/messages.ts";

/** What driver.py prints for Halftone, one message a line. A point's result comes in parts, and `point` follows its last part. */
const message = v.variant("kind", [
  /** Every node was asked and can run points. */
  v.object({ kind: v.literal("nodes"), hosts: v.array(v.string()) }),
  /** No point runs, for these reasons. */
  v.object({ kind: v.literal("refused"), problems: v.array(v.string()) }),
  /** Of a point's zip archive. */
  partMessage,
  /** A point has ended; its archive has `size` characters. `message` says why it has no record, where it has none. */
  v.object({
    kind: v.literal("point"),
    id: v.string(),
    size: v.number(),
    host: v.string(),
    message: v.nullable(v.string()),
  }),
  /** All points have ended. */
  v.object({ kind: v.literal("end") }),
]);

export type DriverMessage = v.InferOutput<typeof message>;

export const parseMessage = messageParser(message);

export type Ended = Extract<DriverMessage, { kind: "point" }> & { archive: Uint8Array };

/** Joins the parts of results. */
export class ResultParts {
  readonly #parts = new Parts();

  /** The result that this message completes. One whose parts are not all there is undefined, so that its point runs again. */
  add(each: DriverMessage): Ended | undefined {
    if (each.kind === "part") this.#parts.add(each);
    const archive = each.kind === "point" && this.#parts.take(each.id, each.size);
    return archive ? { ...each, archive } : undefined;
  }
}
