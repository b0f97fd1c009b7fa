/**
 * The widgets that the front end knows, by model id. All copies of the library in one process share the registry, because a page
 * that is loaded again asks for all widgets at once.
 */

/** What other code needs of a widget, whatever its traits. */
export interface WidgetReference {
  /** The id of its model, and of its comm. */
  readonly id: string;
  readonly closed: boolean;
  close(): void;
}

/** A widget's state, as a page needs it that was loaded again. */
export interface Described {
  /** `model_name`, `model_module` and `model_module_version`. */
  identity: Record<string, unknown>;
  state: Record<string, unknown>;
  bufferPaths: (string | number)[][];
  buffers: Uint8Array[];
}

const key = Symbol.for("halftone.widgets");
// A cell may delete the name `globalThis`.
const shared = globalThis as unknown as Record<symbol, Map<string, Registered> | undefined>;
/** On each widget, of any copy of the library. */
export const describeSymbol: unique symbol = Symbol.for("halftone.widget") as never;

export interface Registered extends WidgetReference {
  [describeSymbol](): Described;
}

export function registeredWidgets(): Map<string, Registered> {
  shared[key] ??= new Map();
  return shared[key];
}

export const isWidget = (value: unknown): value is Registered =>
  typeof value === "object" && value !== null && describeSymbol in value;

const PREFIX = "IPY_MODEL_";

export const referenceTo = ({ id }: WidgetReference): string => PREFIX + id;

/** The widget that a reference names; any other value unchanged. */
export function widgetOf(wire: unknown): unknown {
  if (typeof wire !== "string" || !wire.startsWith(PREFIX)) return wire;
  return registeredWidgets().get(wire.slice(PREFIX.length)) ?? wire;
}
