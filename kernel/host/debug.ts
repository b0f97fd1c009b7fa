/** What the debugger asks of the host: counts, log points, and values as the library shows them. */
import { inspect, types } from "node:util";
import { sendEvent } from "./io/output-buffer.ts";
import { newGlobals } from "./live-values.ts";
import { isShownByLibrary, typeName } from "./passive.ts";
import { apply, defineProperty, globalObject, includes, isArray, isIn, makeString, Table } from "./primordials.ts";
import { isFrame } from "./render/frame.ts";
import { renderNow } from "./render/value.ts";

interface Shown {
  type: string;
  text: string;
}

/** A tensor, as far as its contents are shown. */
interface TensorLike {
  shape: number[];
  dtype: string;
  size: number;
  isDisposed: boolean;
  dataSync(): unknown;
}

const hits: Table<number, number> = new Table();
/** The breakpoints whose test has thrown. */
const failed: Table<number, boolean> = new Table();
/** More values of a tensor are not fetched. */
const mostValues = 1_000_000;
let held: readonly unknown[] = [];
let pausing = false;
/** Names that the debugger has added to the global object. */
const copied: string[] = [];

/** `hostName` is the global of the host's functions; conditions and the debugger find these under `<hostName>_debug`. */
export function installDebugHooks(hostName: string): void {
  const api = {
    hit,
    log,
    describe,
    contents,
    bundle: () => renderNow(held[0]),
    globals,
    pause: (wanted: boolean) => {
      pausing = wanted;
    },
    passes,
    stopped: (stop: number) => sendEvent({ type: "stopped", stop }),
    hold: (values: readonly unknown[]) => {
      held = values;
    },
    held: (index: number) => held[index],
    set,
    define,
  };
  defineProperty(globalObject, `${hostName}_debug`, { value: Object.freeze(api), enumerable: false });
}

/** How often code has passed a breakpoint, this time included. */
function hit(point: number): number {
  const count = (hits.get(point) ?? 0) + 1;
  hits.set(point, count);
  return count;
}

/**
 * Whether the program stops at a place with these breakpoints: each has a number, and a test unless it always stops. A test that
 * throws stops nothing, which is said once. A pause stops there too, because V8 would lose it while it evaluates this.
 */
function passes(points: readonly [number: number, test?: () => unknown][]): boolean {
  let stops = pausing;
  for (let index = 0; index < points.length; index++) {
    const [number, test] = points[index]!;
    try {
      if (!test || test()) stops = true;
    } catch (error) {
      if (failed.get(number)) continue;
      failed.set(number, true);
      sendEvent({
        type: "logged",
        point: number,
        text: `The condition threw ${thrownText(error)}, so it stops nothing.`,
      });
    }
  }
  return stops;
}

function thrownText(error: unknown): string {
  try {
    return makeString(error);
  } catch {
    return "a value that has no text";
  }
}

/** Sends a log point's message. False, so that V8 does not stop. */
function log(point: number, parts: readonly (string | (() => unknown))[]): false {
  let text = "";
  for (let index = 0; index < parts.length; index++) text += textOfPart(parts[index]!);
  sendEvent({ type: "logged", point, text });
  return false;
}

function textOfPart(part: string | (() => unknown)): string {
  if (typeof part === "string") return part;
  try {
    const value = part();
    return typeof value === "string" ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY });
  } catch (error) {
    return `<${thrownText(error)}>`;
  }
}

/** The names of the person's properties of the global object. */
function globals(): string[] {
  const names = newGlobals();
  for (let index = 0; index < copied.length; index++)
    if (!includes(names, copied[index]) && isIn(copied[index]!, globalObject)) names[names.length] = copied[index]!;
  return names;
}

/** Gives a property of the second held value the first one. False when it cannot be changed. */
function set(name: string): boolean {
  const [value, target] = held;
  if (!setProperty(target as object, name, value)) return false;
  // An element of a typed array takes another value.
  const now = types.isProxy(target) ? undefined : getOwnPropertyDescriptor(target, name);
  held = [now && "value" in now ? now.value : value, target];
  return true;
}

/** Gives the held value a name on the global object. Throws for a name that is Node's or the language's. */
function define(name: string): void {
  if (isIn(name, globalObject) && !includes(globals(), name))
    throw new Error(`${name} is a name of Node's or of the language: choose another.`);
  defineProperty(globalObject, name, { value: held[0], configurable: true, writable: true, enumerable: true });
  copied[copied.length] = name;
}

/** What the library, or a data frame, shows of each value; null for those that V8 describes as well. */
function describe(values: readonly unknown[]): (Shown | null)[] {
  const shown: (Shown | null)[] = [];
  for (let index = 0; index < values.length; index++) shown[index] = describeOne(values[index]);
  return shown;
}

function describeOne(value: unknown): Shown | null {
  try {
    if (typeof value !== "object" || value === null || types.isProxy(value)) return null;
    if (isShownByLibrary(value)) return { type: typeName(value), text: oneLine(inspect(value, { depth: 1 })) };
    const figure = figureText(value);
    if (figure) return { type: "Figure", text: figure };
    if (!isFrame(value)) return null;
    const [rows, columns = 1] = value.shape;
    return { type: typeName(value), text: `${typeName(value)} ${rows} × ${columns}` };
  } catch {
    return null;
  }
}

const displaySymbol = Symbol.for("Jupyter.display");
const { getOwnPropertyDescriptor } = Object;
const { set: setProperty } = Reflect;

/** `Figure bar, scatter: Title` for a figure of the library. */
function figureText(value: object): string | undefined {
  if (!getOwnPropertyDescriptor(value, displaySymbol)) return undefined;
  const { data, layout } = value as { data?: unknown; layout?: { title?: unknown } };
  if (!isArray(data) || typeof layout !== "object") return undefined;
  let kinds = "";
  for (let index = 0; index < data.length; index++)
    kinds += `${index > 0 ? ", " : ""}${makeString((data[index] as { type?: unknown })?.type ?? "scatter")}`;
  const title = (layout?.title as { text?: unknown })?.text ?? layout?.title;
  return `Figure ${kinds}${typeof title === "string" ? `: ${title}` : ""}`;
}

const oneLine = (text: string): string => apply(replaceAll, text, [/\s*\n\s*/g, " "]) as string;
const { replace: replaceAll } = String.prototype;

/** What to list under a value that `describe` shows. */
function contents(value: object): object {
  const tensor = value as Partial<TensorLike>;
  if (typeof tensor.dataSync === "function" && isArray(tensor.shape)) {
    const { shape, dtype, size = 0, isDisposed } = tensor as TensorLike;
    const values = isDisposed
      ? "(disposed)"
      : size > mostValues
        ? `(${size} values)`
        : (value as TensorLike).dataSync();
    return { __proto__: null, shape, dtype, values };
  }
  if (isFrame(value)) return { __proto__: null, columns: value.columns, values: value.values };
  const { data, layout } = value as { data?: unknown; layout?: unknown };
  return { __proto__: null, data, layout };
}
