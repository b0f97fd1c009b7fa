/** Which widget `interact` makes of an argument, and which values it gives. */
import { inspect } from "node:util";
import { Text } from "./button.ts";
import { Checkbox, FloatLogSlider, FloatSlider, IntSlider } from "./models.ts";
import { Dropdown, entriesOf, type Options } from "./selection.ts";
import { isRecord } from "./traits.ts";
import { Widget } from "./widget.ts";

/** A widget with a value. */
export type ValueWidget<V = unknown> = Widget<{ value: V }> & { value: V };

/**
 * What stands for a widget: `true` for a check box, text for a text field, a number for a slider around it, `[min, max]` and
 * `[min, max, step]` for a slider, options for a list, as an array or with labels; or a widget with a value.
 */
export type Control =
  | boolean
  | string
  | number
  | readonly [number, number]
  | readonly [number, number, number]
  | readonly unknown[]
  | ReadonlyMap<string, unknown>
  | Readonly<Record<string, unknown>>
  | { value: unknown };

/** The type of the values that a control gives. */
export type ValueOf<C> = C extends boolean
  ? boolean
  : C extends string
    ? string
    : C extends number
      ? number
      : C extends { readonly id: string; value: infer V }
        ? V
        : C extends readonly [number, number] | readonly [number, number, number]
          ? number
          : C extends readonly (infer V)[]
            ? V
            : C extends ReadonlyMap<string, infer V>
              ? V
              : C extends Readonly<Record<string, infer V>>
                ? V
                : never;

/** From this ratio on, a slider's positions are powers. */
const LOGARITHMIC = 100;
/** Positions of a slider of numbers that are not whole. */
const POSITIONS = 100;

/**
 * The widget of a control.
 *
 * @throws TypeError for a control that stands for no widget, RangeError for numbers that are no range
 */
export function widgetOfControl(name: string, control: unknown): ValueWidget {
  if (control instanceof Widget) {
    if ("value" in control) return control as unknown as ValueWidget;
    throw new TypeError(`${name}: ${inspect(control)} has no value that could be passed`);
  }
  const description = name;
  if (typeof control === "boolean") return asValue(new Checkbox({ description, value: control, indent: false }));
  if (typeof control === "string") return asValue(new Text({ description, value: control }));
  if (typeof control === "number") return around(name, control);
  if (isRange(control)) return slider(name, control);
  if (Array.isArray(control) || isRecord(control) || control instanceof Map) {
    const options = control as Options<unknown>;
    if (entriesOf(options).length === 0)
      throw new TypeError(`${name} needs at least one option, got ${inspect(control)}`);
    return asValue(new Dropdown({ description, options }));
  }
  throw new TypeError(
    `${name} must be a boolean, text, a number, [min, max], options or a widget with a value, got ${inspect(control)}`,
  );
}

function isRange(control: unknown): control is readonly number[] {
  return (
    Array.isArray(control) &&
    (control.length === 2 || control.length === 3) &&
    control.every((each) => typeof each === "number")
  );
}

/** From -1 to 3 times the number, as in ipywidgets. */
function around(name: string, value: number): ValueWidget {
  if (!Number.isFinite(value)) throw new RangeError(`${name} must be a finite number, got ${value}`);
  if (value === 0) return slider(name, [0, 1], 0);
  return slider(name, value > 0 ? [-value, 3 * value] : [3 * value, -value], value);
}

function slider(name: string, [min, max, step]: readonly number[], value?: number): ValueWidget {
  if (!(Number.isFinite(min) && Number.isFinite(max) && min! < max!))
    throw new RangeError(`${name}: [min, max] must be two finite numbers in order, got ${inspect([min, max])}`);
  if (step !== undefined && !(step > 0 && step <= max! - min!))
    throw new RangeError(
      `${name}: [min, max, step] needs a step above 0 and at most ${max! - min!}, got ${step}. For a choice among numbers pass new Dropdown({ options: [...] })`,
    );
  const bounds = { description: name, min: min!, max: max! };
  const middle = value ?? (min! + max!) / 2;
  if ([min, max, step ?? 1, value ?? 0].every(Number.isInteger))
    return asValue(new IntSlider({ ...bounds, step: step ?? 1, value: Math.floor(middle) }));
  if (step === undefined && value === undefined && min! > 0 && max! / min! >= LOGARITHMIC) {
    const [low, high] = [Math.log10(min!), Math.log10(max!)];
    const start = Number((10 ** ((low + high) / 2)).toPrecision(3));
    return asValue(
      new FloatLogSlider({ ...bounds, min: low, max: high, step: (high - low) / POSITIONS, value: start }),
    );
  }
  return asValue(
    new FloatSlider({ ...bounds, step: step ?? (max! - min!) / POSITIONS, value: middle, readoutFormat: ".4g" }),
  );
}

const asValue = (widget: unknown): ValueWidget => widget as ValueWidget;
