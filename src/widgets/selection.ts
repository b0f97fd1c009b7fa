/** Widgets to choose among options: `value` is one of the options, of their type. */
import { inspect } from "node:util";
import { widgetClass } from "./define.ts";
import type { Model } from "./model.ts";
import * as models from "./models.ts";
import { isRecord, type Trait } from "./traits.ts";
import { isSame } from "./values.ts";
import type { Init, Widget } from "./widget.ts";

/** Values, whose text is shown; or what is shown, each with its value. */
export type Options<V> = readonly V[] | Readonly<Record<string, V>> | ReadonlyMap<string, V>;

type Own<T> = Omit<T, "_optionsLabels" | "index">;

/** The attributes of a choice of `Value` among options `V`. */
export interface ChoiceTraits<V, Value> {
  options: Options<V>;
  value: Value;
  /** The position of the value among the options. */
  index: Value extends readonly unknown[] ? readonly number[] : number;
}

/** What a new choice takes: by default the first option is chosen, of several none. */
export type ChoiceInit<T, V, Value> = Init<Own<T>> & { options: Options<V>; value?: NoInfer<Value> };

/** A widget to choose among options. */
export type Choice<T, V, Value> = Widget<Own<T> & ChoiceTraits<V, Value>> & Own<T> & ChoiceTraits<V, Value>;

/** The class of widgets that choose one option. */
export interface ChoiceClass<T> {
  new <const V>(attributes: ChoiceInit<T, V, V>): Choice<T, V, V>;
}

/** The class of widgets that choose several options. */
export interface ChoicesClass<T> {
  new <const V>(attributes: ChoiceInit<T, V, readonly V[]>): Choice<T, V, readonly V[]>;
}

/** The class of widgets that choose the first and the last option of a range. */
export interface RangeChoiceClass<T> {
  new <const V>(attributes: ChoiceInit<T, V, readonly [V, V]>): Choice<T, V, readonly [V, V]>;
}

const options: Trait = {
  expects: "an array of at least one option, or an object or a Map of labels with their values",
  accepts: (value) =>
    (Array.isArray(value) || isRecord(value) || value instanceof Map) &&
    entriesOf(value as Options<unknown>).length > 0,
  initial: () => [],
  local: true,
};

const anyValue: Trait = { expects: "an option", accepts: () => true, initial: () => undefined, local: true };

/** A list that opens: `new Dropdown({ options: ["small", "large"] }).value` is `"small" | "large"`. */
export const Dropdown = choiceClass<ChoiceClass<models.DropdownTraits>>(models.DropdownModel, "one");
/** Buttons of which one is on. */
export const RadioButtons = choiceClass<ChoiceClass<models.RadioButtonsTraits>>(models.RadioButtonsModel, "one");
/** A list of which one entry is chosen. */
export const Select = choiceClass<ChoiceClass<models.SelectTraits>>(models.SelectModel, "one");
/** A list of which several entries may be chosen. */
export const SelectMultiple = choiceClass<ChoicesClass<models.SelectMultipleTraits>>(
  models.SelectMultipleModel,
  "many",
);
/** A slider over the options. */
export const SelectionSlider = choiceClass<ChoiceClass<models.SelectionSliderTraits>>(
  models.SelectionSliderModel,
  "one",
);
/** A slider over the options with two ends. */
export const SelectionRangeSlider = choiceClass<RangeChoiceClass<models.SelectionRangeSliderTraits>>(
  models.SelectionRangeSliderModel,
  "range",
);
/** A row of buttons of which one is on. */
export const ToggleButtons = choiceClass<ChoiceClass<models.ToggleButtonsTraits>>(models.ToggleButtonsModel, "one");

type Kind = "one" | "many" | "range";

function choiceClass<Class>(model: Model, kind: Kind): Class {
  return widgetClass({
    ...model,
    traits: { ...model.traits, options, value: anyValue },
    settle: (state, changed) => settled(model.name, kind, state, changed),
  }) as Class;
}

export function entriesOf(options: Options<unknown>): [label: string, value: unknown][] {
  if (Array.isArray(options)) return options.map((each) => [labelOf(each), each]);
  return options instanceof Map ? [...options] : Object.entries(options);
}

const labelOf = (value: unknown): string => (typeof value === "object" ? inspect(value, { depth: 0 }) : String(value));

/** The labels, the positions and the values agree with what was changed. */
function settled(
  name: string,
  kind: Kind,
  state: Readonly<Record<string, unknown>>,
  changed: ReadonlySet<string>,
): Record<string, unknown> {
  const entries = entriesOf(state.options as Options<unknown>);
  if (entries.length === 0) throw new TypeError(`${name} needs options, ${options.expects}`);
  const values = entries.map(([, value]) => value);
  const find = (value: unknown): number =>
    values.includes(value) ? values.indexOf(value) : values.findIndex((each) => isSame(each, value));
  const positionOf = (value: unknown): number => {
    const position = find(value);
    if (position >= 0) return position;
    throw new RangeError(`${name}.value must be one of its options ${brief(values)}, got ${inspect(value)}`);
  };
  const at = (position: unknown): unknown => {
    if (Number.isInteger(position) && (position as number) >= 0 && (position as number) < values.length)
      return values[position as number];
    throw new RangeError(`${name}.index must be from 0 to ${values.length - 1}, got ${inspect(position)}`);
  };
  const each = <R>(of: unknown, one: (item: unknown) => R): R | R[] => {
    if (kind === "one") return one(of);
    if (Array.isArray(of) && (kind === "many" || of.length === 2)) return of.map(one);
    throw new TypeError(
      `${name}.value must be an array of ${kind === "many" ? "options" : "two options"}, got ${inspect(of)}`,
    );
  };
  const first = kind === "one" ? 0 : kind === "many" ? [] : [0, 0];
  let index: unknown = state.index ?? first;
  if (changed.has("value")) index = each(state.value, positionOf);
  else if (!changed.has("index")) {
    const kept = kind === "one" ? find(state.value) : ((state.value as unknown[] | undefined) ?? []).map(find);
    index = [kept].flat().every((position) => position >= 0) && state.value !== undefined ? kept : first;
  }
  return { _optionsLabels: entries.map(([label]) => label), index, value: each(index, at) };
}

const brief = (values: readonly unknown[]): string => inspect(values, { breakLength: Infinity, maxArrayLength: 20 });
