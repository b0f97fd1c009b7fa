import type { MimeBundle } from "../../protocol/output.ts";
import { defineProperty, intrinsics } from "../primordials.ts";
import { encodeBundle, encodeObject } from "../render/mime-bundle.ts";
import { currentId } from "../run/cells.ts";
import { sendOutput } from "./capture.ts";

export interface DisplayOptions {
  metadata?: Record<string, unknown>;
  displayId?: string;
  update?: boolean;
}

/** How library code shows rich output: `globalThis[Symbol.for("halftone.display")]`. */
export function installDisplay(): void {
  defineProperty(globalThis, Symbol.for("halftone.display"), { value: display, enumerable: false });
}

export function display(bundle: MimeBundle, options: DisplayOptions = {}): void {
  const data = encodeBundle(bundle);
  const metadata = encodeObject(options.metadata ?? {}, "the metadata of a display");
  const { displayId, update } = options;
  if (displayId !== undefined && typeof displayId !== "string")
    throw new intrinsics.TypeError(`display: displayId must be a string, got ${typeof displayId}. Pass String(...).`);
  if (update === true) {
    if (displayId === undefined)
      throw new intrinsics.TypeError("display: an update needs the displayId of the output to update");
    sendOutput(currentId(), { type: "update", data, metadata, displayId });
    return;
  }
  const output = { type: "display" as const, data, metadata, ...(displayId === undefined ? {} : { displayId }) };
  sendOutput(currentId(), output);
}
