/// <reference lib="dom" preserve="true" />
// The code of a widget runs in the page, so whoever imports this gets the DOM's types.
import { moduleOfFile, moduleOfFunctions } from "./browser-module.ts";
import { defineAttributes } from "./define.ts";
import type { Model } from "./model.ts";
import { Layout } from "./models.ts";
import { isWidget } from "./registry.ts";
import { bool, bytes, float, json, list, orNull, part, type Trait, text, widget as widgetTrait } from "./traits.ts";
import { Widget } from "./widget.ts";

/** A value as the page has it: bytes arrive as a `DataView`. */
export type InPage<V> = V extends Uint8Array ? DataView : V;

/** The widget as its code in the page knows it (anywidget's `AnyModel`). */
export interface PageModel<S> {
  get<K extends keyof S>(name: K): InPage<S[K]>;
  /** Sets an attribute in the page; `save_changes` tells the program. */
  set<K extends keyof S>(name: K, value: S[K] | InPage<S[K]>): void;
  save_changes(): void;
  on(event: `change:${keyof S & string}`, listener: () => void): void;
  on(event: "msg:custom", listener: (content: unknown, buffers: DataView[]) => void): void;
  off(event?: string | null, listener?: ((...args: never[]) => void) | null): void;
  /** Sends a message to `onMessage` in the program. */
  send(content: unknown, callbacks?: unknown, buffers?: (ArrayBuffer | ArrayBufferView)[]): void;
}

/** What `render` gets. */
export interface PageView<S> {
  model: PageModel<S>;
  /** The place of this view in the page. */
  el: HTMLElement;
  /** Aborted when the view is removed. */
  signal: AbortSignal;
}

type Cleanup = void | (() => void | Promise<void>);

/** The code of a widget in the page (anywidget's default export). */
export interface PageCode<S> {
  /** Draws a view; the function that it returns is called when the view is removed. */
  render(view: PageView<S>): Cleanup | Promise<Cleanup>;
  /** Runs once for the widget, before its first view. */
  initialize?(widget: Omit<PageView<S>, "el">): Cleanup | Promise<Cleanup>;
}

/** Attributes of every widget of one's own. */
interface DomState {
  layout: Layout;
}

/** A widget of one's own, with its state as properties. */
export type AnyWidget<S extends object> = Widget<S & DomState> & S & DomState;

interface Look {
  /** A style sheet. */
  css?: string;
  layout?: ConstructorParameters<typeof Layout>[0];
}

/**
 * A widget with code of one's own in the page, by anywidget's front end: `widget({ state: { count: 0 }, render({ model, el }) { ... } })`.
 * State is typed on both sides and changes go both ways. `render` runs in the page: it may import packages (`await import("d3")`),
 * which are bundled, and cannot use variables of the notebook.
 *
 * @throws TypeError for state that JSON cannot represent or a name that all widgets have, ReferenceError for code that uses a variable
 *   of the notebook, SyntaxError for an import that is not found
 */
export function widget<S extends object>(options: { state: S } & PageCode<NoInfer<S>> & Look): AnyWidget<S>;
/**
 * The same with its code in a file, whose default export has `render`: `widget<typeof import("./dial.ts")>({ state, module: "./dial.ts" })`.
 */
export function widget<M extends { default: PageCode<never> }>(
  options: { state: StateOf<M>; module: string } & Look,
): AnyWidget<StateOf<M>>;
export function widget({
  state,
  render,
  initialize,
  module,
  css,
  layout = {},
}: { state: object; module?: string } & Partial<PageCode<never>> & Look): AnyWidget<object> {
  const functions = { render, ...(initialize && { initialize }) };
  if (module === undefined && typeof render !== "function")
    throw new TypeError(`widget needs a render function, or the path of a module with one, got ${typeof render}`);
  const code = module === undefined ? moduleOfFunctions(functions as never) : moduleOfFile(module);
  const traits: Record<string, Trait> = { ...domTraits };
  for (const [name, value] of Object.entries(state)) {
    if (name.startsWith("_") || name in domTraits || name in Widget.prototype)
      throw new TypeError(`widget: state cannot have the name ${name}, which all widgets have`);
    traits[name] = traitOf(value);
  }
  const model: Model = { name: "AnyWidget", identity: identityOf(code, css), traits, sameNames: true };
  const made = new Widget<object>(model, { ...state, layout });
  defineAttributes(made, traits);
  return made as AnyWidget<object>;
}

type StateOf<M> = M extends { default: { render(view: PageView<infer S>): unknown } } ? S & object : never;

/** The version of anywidget's front end (PyPI `anywidget`). */
const VERSION = "~0.11.*";

function identityOf(code: string, css: string | undefined): Model["identity"] {
  return {
    _model_module: "anywidget",
    _model_name: "AnyModel",
    _model_module_version: VERSION,
    _view_module: "anywidget",
    _view_name: "AnyView",
    _view_module_version: VERSION,
    _view_count: null,
    _esm: code,
    ...(css === undefined ? {} : { _css: css, _anywidget_id: crypto.randomUUID() }),
  };
}

const domTraits: Readonly<Record<string, Trait>> = {
  _dom_classes: list(text("")),
  layout: part(() => Layout as never),
  tabbable: orNull(bool(false)),
  tooltip: orNull(text("")),
};

/** What the first value says of the later ones. */
function traitOf(value: unknown): Trait {
  if (typeof value === "number") return float(0);
  if (typeof value === "boolean") return bool(false);
  if (typeof value === "string") return text("");
  if (value instanceof Uint8Array) return bytes();
  return isWidget(value) ? widgetTrait() : json();
}
