import * as v from "valibot";
import { messageParser, partMessage } from "../../ray/messages.ts";

/** What train.py prints for Halftone, one message a line. */
const message = v.variant("kind", [
  /** No worker runs, for these reasons. */
  v.object({ kind: v.literal("refused"), problems: v.array(v.string()) }),
  /** Other jobs of the cluster use what the workers need. */
  v.object({ kind: v.literal("waiting") }),
  /** The workers start, on these hosts in the order of ranks. */
  v.object({ kind: v.literal("started"), hosts: v.array(v.string()) }),
  /** What the workers print, as `halftone train` shows it. */
  v.object({ kind: v.literal("output"), stream: v.picklist(["stdout", "stderr"]), text: v.string() }),
  /** Of the executed notebook, compressed. */
  partMessage,
  /** The executed notebook is there; it has `size` characters. */
  v.object({ kind: v.literal("notebook"), size: v.number() }),
  /** A worker has failed, before all others that did. */
  v.object({ kind: v.literal("failed"), rank: v.number(), host: v.string(), fault: v.string() }),
  v.object({ kind: v.literal("end") }),
]);

export type TrainMessage = v.InferOutput<typeof message>;

export const parseMessage = messageParser(message);
