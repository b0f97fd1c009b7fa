import type { MimeBundle } from "../../protocol/output.ts";
import { intrinsics } from "../primordials.ts";
import { toJson } from "./json.ts";
import { base64 } from "./mime-bundle.ts";

const signatures: [type: string, offset: number, bytes: number[]][] = [
  ["image/png", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", 0, [0xff, 0xd8, 0xff]],
  ["image/gif", 0, [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", 8, [0x57, 0x45, 0x42, 0x50]],
];

/** Renders a Buffer or Uint8Array that holds an image file. */
export function image(value: object): MimeBundle | undefined {
  if (!(value instanceof intrinsics.Uint8Array)) return undefined;
  for (const [type, offset, bytes] of signatures)
    if (bytes.every((byte, index) => value[offset + index] === byte))
      return { [type]: base64(value), "text/plain": `<${type}, ${value.length} bytes>` };
  return undefined;
}

/** Renders an element of a document (jsdom, linkedom) as its markup. */
export function element(value: object): MimeBundle | undefined {
  const { nodeType, outerHTML, tagName } = value as { nodeType?: unknown; outerHTML?: unknown; tagName?: unknown };
  if (nodeType !== 1 || typeof outerHTML !== "string") return undefined;
  const name = intrinsics.String(tagName).toLowerCase();
  const text = outerHTML.length > 200 ? `${outerHTML.slice(0, 200)}...` : outerHTML;
  if (name === "svg") return { "image/svg+xml": outerHTML, "text/plain": text };
  return { "text/html": outerHTML, "text/plain": text };
}

/** Renders a canvas (node-canvas, skia-canvas) as its PNG image. */
export function canvas(value: object): MimeBundle | undefined {
  const { toDataURL, getContext } = value as { toDataURL?: unknown; getContext?: unknown };
  if (typeof toDataURL !== "function" || typeof getContext !== "function") return undefined;
  const [, type, data] = /^data:([^;,]+);base64,(.*)$/s.exec(intrinsics.String(toDataURL.call(value))) ?? [];
  return type === undefined ? undefined : { [type]: data, "text/plain": `<canvas, ${type}>` };
}

/** Renders a chart of vega-lite-api as its specification. */
export function vega(value: object): MimeBundle | undefined {
  const { toSpec } = value as { toSpec?: unknown };
  const spec = typeof toSpec === "function" ? (toSpec.call(value) as { $schema?: unknown }) : undefined;
  const [, kind, version] = /schema\/(vega|vega-lite)\/v(\d+)/.exec(intrinsics.String(spec?.$schema)) ?? [];
  if (kind === undefined) return undefined;
  const type = `application/vnd.${kind.replace("-", "")}.v${version}+json`;
  return { [type]: toJson(spec, "the specification of a chart"), "text/plain": `<${kind} chart>` };
}
