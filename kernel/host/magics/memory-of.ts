/** How much memory the values of variables take, read without running their code. */
import { types } from "node:util";
import { describeRemotely } from "../live-values.ts";
import { eachEntry, heldProperty, isShownByLibrary, previewOf } from "../passive.ts";
import { isArray, ownKeys } from "../primordials.ts";

/** The most values that are looked at for one variable. */
const mostValues = 20_000;
const perValue = 8;
/** Bytes of an element, by dtype and by storage type. */
const elementBytes: Record<string, number> = { bool: 1, complex64: 8, float16: 2, bfloat16: 2, float64: 8 };

/**
 * The bytes of a value's texts, buffers, tensors and entries, each counted once; undefined for a number or a function. `isWhole`
 * is false when there were too many values to look at them all.
 */
export function memoryOf(value: unknown): { bytes: number; isWhole: boolean } | undefined {
  if (typeof value === "string") return { bytes: value.length, isWhole: true };
  if (typeof value !== "object" || value === null || types.isProxy(value)) return undefined;
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  let bytes = 0;
  let looked = 0;
  const add = (part: unknown): boolean => {
    if (++looked <= mostValues) waiting.push(part);
    return looked <= mostValues;
  };
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "string") bytes += next.length;
    if (typeof next !== "object" || next === null || seen.has(next) || types.isProxy(next)) continue;
    seen.add(next);
    bytes += ownBytes(next, add);
  }
  return { bytes, isWhole: looked <= mostValues };
}

/** The bytes of the value itself. Its parts are given to `add`, which returns false when it takes no more. */
function ownBytes(value: object, add: (part: unknown) => boolean): number {
  if (types.isAnyArrayBuffer(value) || types.isArrayBufferView(value)) return numberIn(value, "byteLength");
  if (isShownByLibrary(value)) return tensorBytes(value);
  if (types.isMap(value) || types.isSet(value)) {
    eachEntry(value, (part, key) => {
      add(part);
      add(key);
    });
    return 2 * perValue * numberIn(value, "size");
  }
  const list = isArray(value);
  const keys = list ? [] : ownKeys(value);
  const length = list ? value.length : keys.length;
  for (let at = 0; at < length; at++)
    if (!add(Reflect.getOwnPropertyDescriptor(value, list ? at : keys[at]!)?.value)) break;
  return perValue * length;
}

function tensorBytes(tensor: object): number {
  const stored = /stored as (\w+)/.exec(previewOf(tensor, describeRemotely))?.[1];
  const dtype = heldProperty(tensor, "dtype")?.value;
  return numberIn(tensor, "size") * (elementBytes[stored ?? String(dtype)] ?? 4);
}

function numberIn(value: object, key: string): number {
  const found = heldProperty(value, key)?.value;
  return typeof found === "number" ? found : 0;
}
