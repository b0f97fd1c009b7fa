/** Makes a widget's class of its model: each attribute becomes a property. */

import type { Model } from "./model.ts";
import type { Traits } from "./traits.ts";
import { type Init, Widget } from "./widget.ts";

/** A widget whose attributes are its properties too. */
export type WidgetOf<T extends object> = Widget<T> & T;

/** `new IntSlider({ max: 10 })`. */
export interface WidgetClass<T extends object> {
  new (attributes?: Init<T>): WidgetOf<T>;
  readonly prototype: WidgetOf<T>;
}

type JupyterModule = "base" | "controls" | "output";

/** The front end's names for a model of `@jupyter-widgets`. Most views are in the model's module, and have its name. */
export function identity(
  module: JupyterModule,
  name: string,
  view: { name?: string | null; module?: JupyterModule } = {},
): Model["identity"] {
  const version = module === "output" ? "1.0.0" : "2.0.0";
  return {
    _model_module: `@jupyter-widgets/${module}`,
    _model_module_version: version,
    _model_name: `${name}Model`,
    _view_module: `@jupyter-widgets/${view.module ?? module}`,
    _view_module_version: version,
    _view_name: view.name === undefined ? `${name}View` : view.name,
  };
}

export function widgetClass<T extends object>(model: Model): WidgetClass<T> {
  class Defined extends Widget<T> {
    constructor(attributes: Init<T> = {}) {
      super(model, attributes);
    }
  }
  Object.defineProperty(Defined, "name", { value: model.name });
  defineAttributes(Defined.prototype, model.traits);
  return Defined as unknown as WidgetClass<T>;
}

export function defineAttributes(prototype: object, traits: Traits): void {
  for (const name of Object.keys(traits)) {
    Object.defineProperty(prototype, name, {
      get(this: Widget<Record<string, unknown>>) {
        return this.get(name);
      },
      set(this: Widget<Record<string, unknown>>, value: unknown) {
        this.set({ [name]: value });
      },
      configurable: true,
    });
  }
}

type State = Readonly<Record<string, unknown>>;

/** A number, or both of a range, is kept between `min` and `max`, as ipywidgets does. `scale` makes the bounds of those attributes. */
export const withinBounds =
  (name: string, scale: (state: State, bound: number) => number = (_, bound) => bound) =>
  (state: State): Record<string, unknown> => {
    const { min, max, value } = state as { min: number | null; max: number | null; value: number | number[] };
    if (min !== null && max !== null && min > max)
      throw new RangeError(`${name}: min is ${min}, above max, which is ${max}`);
    const low = min === null ? -Infinity : scale(state, min);
    const high = max === null ? Infinity : scale(state, max);
    const within = (each: number): number => Math.min(high, Math.max(low, each));
    return { value: typeof value === "number" ? within(value) : value.map(within).toSorted((a, b) => a - b) };
  };

/** A `Tab` shows its first page until another is chosen. */
export function firstPage(state: State, changed: ReadonlySet<string>): Record<string, unknown> {
  const { children, selectedIndex } = state as { children: unknown[]; selectedIndex: number | null };
  const isOpen = selectedIndex !== null || changed.has("selectedIndex");
  return changed.has("children") && children.length > 0 && !isOpen ? { selectedIndex: 0 } : {};
}

const sides = ["borderTop", "borderRight", "borderBottom", "borderLeft"];

/** A layout's `border` sets the borders of all sides that are not set with it. */
export const everyBorder = ({ border }: State, changed: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(sides.filter((side) => changed.has("border") && !changed.has(side)).map((side) => [side, border]));

/** The bounds of a logarithmic slider are exponents. */
export const logarithmic = ({ base }: State, exponent: number): number => (base as number) ** exponent;
