import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import type { MimeBundle } from "../../session/output.ts";
import { intrinsics, keysOf } from "../primordials.ts";

/** Bytes in a bundle become base64, as the notebook format has them. */
export function encodeBundle(bundle: unknown): MimeBundle {
  if (typeof bundle !== "object" || bundle === null)
    throw new intrinsics.TypeError(`a display method must return a mime bundle (an object), got ${inspect(bundle)}`);
  const data: MimeBundle = {};
  const types = keysOf(bundle);
  for (let index = 0; index < types.length; index++) {
    const type = types[index]!;
    const content = (bundle as MimeBundle)[type];
    data[type] = content instanceof intrinsics.Uint8Array ? base64(content) : content;
  }
  return data;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
