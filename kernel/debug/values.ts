/** A value as V8 describes it, in words. */
import type { Protocol } from "devtools-protocol";

type RemoteObject = Protocol.Runtime.RemoteObject;
type Preview = Protocol.Runtime.ObjectPreview;
type PropertyPreview = Protocol.Runtime.PropertyPreview;

export interface Named {
  name: string;
  value: RemoteObject;
}

const longestText = 10_000;
const longestPreview = 200;

/** A short text: `"abc"`, `{a: 1, b: Array(2)}`, `ƒ double(item)`. */
export function textOf(value: RemoteObject): string {
  const text = wordsFor(value);
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

function wordsFor(value: RemoteObject): string {
  if (value.unserializableValue !== undefined) return value.unserializableValue;
  if (value.type === "string") return JSON.stringify(value.value);
  if (value.type === "undefined") return "undefined";
  if (value.type === "function") return headOf(value.description ?? "function");
  if (value.subtype === "null") return "null";
  if (value.objectId === undefined) return value.description ?? String(value.value);
  if (value.subtype === "error") return firstLine(value.description ?? "Error");
  const preview = value.preview ? previewText(value.preview) : firstLine(value.description ?? "Object");
  return preview.length > longestPreview ? `${preview.slice(0, longestPreview)}…` : preview;
}

/** `number`, `Map`, `Array(3)`. */
export function typeOf({ type, subtype, className, description }: RemoteObject): string {
  if (subtype === "null") return "null";
  if (type !== "object") return type;
  if (subtype === "array" || subtype === "typedarray") return description ?? className ?? type;
  return className || type;
}

function previewText({ subtype, description = "Object", overflow, properties, entries }: Preview): string {
  if (subtype === "date" || subtype === "regexp" || subtype === "error" || subtype === "promise" || subtype === "proxy")
    return firstLine(description);
  const isList = subtype === "array" || subtype === "typedarray";
  const parts: string[] = [];
  for (const each of properties) {
    if ((subtype === "map" || subtype === "set") && each.name === "size") continue;
    const isIndex = isList && /^\d+$/.test(each.name);
    if (isList && !isIndex) continue;
    parts.push(isIndex ? partOf(each) : `${each.name}: ${partOf(each)}`);
  }
  for (const { key, value } of entries ?? [])
    parts.push(key ? `${entryText(key)} => ${entryText(value)}` : entryText(value));
  if (overflow) parts.push("…");
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  return `${description === "Object" ? "" : `${description} `}${open}${parts.join(", ")}${close}`;
}

function partOf({ type, subtype, value = "" }: PropertyPreview): string {
  if (type === "string") return JSON.stringify(value);
  if (type === "function") return "ƒ";
  if (type === "accessor") return "(…)";
  return type === "object" && subtype !== "null" && value === "" ? "Object" : value;
}

function entryText({ type, description = "" }: Preview): string {
  return type === "string" ? JSON.stringify(description) : description;
}

/** A function's source up to its body. */
function headOf(source: string): string {
  const head =
    /^(?:async\s+)?(?:function\b\s*\*?\s*[^(]*\([^)]*\)|class\b[^{]*|\([^)]*\)\s*=>|[^=(){]*=>|[^({]*\([^)]*\))/.exec(
      source,
    )?.[0];
  const line = (head ?? firstLine(source)).replace(/\s+/g, " ").trim();
  return line.startsWith("class") ? line : `ƒ ${line.replace(/^(async )?function\s*/, "$1")}`;
}

function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end === -1 ? text : text.slice(0, end);
}
