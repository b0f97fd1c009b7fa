import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import type { MimeBundle } from "../../protocol/output.ts";
import { exec, intrinsics, isArray, keysOf } from "../primordials.ts";
import { type Json, toJson } from "./json.ts";

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?: *;.*)?$/;
/** Media types whose content may be any JSON in the notebook format. All others have text. */
const jsonType = /^application\/(?:.*\+)?json$/;

/**
 * Converts a mime bundle to the notebook format (nbformat 4.5, `mimebundle`). Bytes become base64, the content of JSON types
 * is converted by `toJson`, and undefined entries are left out. Throws a TypeError for anything else, which becomes the
 * cell's error, because a notebook with such an output could not be read again.
 */
export function encodeBundle(bundle: unknown): MimeBundle {
  if (typeof bundle !== "object" || bundle === null || isArray(bundle))
    throw new intrinsics.TypeError(`a display method must return a mime bundle (an object), got ${brief(bundle)}`);
  const data: MimeBundle = {};
  const names = keysOf(bundle);
  for (let index = 0; index < names.length; index++) {
    const type = names[index]!;
    const content = (bundle as MimeBundle)[type];
    if (content === undefined) continue;
    if (!exec(mediaType, type))
      throw new intrinsics.TypeError(
        `the keys of a mime bundle are media types, such as text/html, got ${brief(type)}`,
      );
    data[type] = exec(jsonType, type) ? toJson(content, `the ${type} of a mime bundle`) : textOf(type, content);
  }
  return data;
}

/** Converts a JSON object, such as an output's metadata. */
export function encodeObject(value: unknown, where: string): Record<string, Json> {
  const json = toJson(value, where);
  if (typeof json !== "object" || json === null || isArray(json))
    throw new intrinsics.TypeError(`${where} must be an object, got ${brief(value)}`);
  return json as Record<string, Json>;
}

function textOf(type: string, content: unknown): string | string[] {
  if (typeof content === "string") return content;
  if (content instanceof intrinsics.Uint8Array) return base64(content);
  if (isArray(content) && areTexts(content)) return content as string[];
  throw new intrinsics.TypeError(
    `the ${type} of a mime bundle must be text (a string, an array of strings) or bytes (a Uint8Array), got ${brief(content)}`,
  );
}

function areTexts(list: readonly unknown[]): boolean {
  for (let index = 0; index < list.length; index++) if (typeof list[index] !== "string") return false;
  return true;
}

const brief = (value: unknown): string => inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 3 });

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
