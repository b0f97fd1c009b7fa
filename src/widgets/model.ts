/** What the widgets of a class have in common: their attributes, and the names of the front end's code. */
import { inspect } from "node:util";
import { isRecord, type Trait, type Traits, wireName } from "./traits.ts";

/** What all widgets of a class have in common. */
export interface Model {
  /** The class's name, for messages. */
  name: string;
  /** The names of the front end's code: `_model_name`, `_view_module` and others. */
  identity: Readonly<Record<string, unknown>>;
  traits: Traits;
  /** Whether the front end has the attributes' names as they are here; by default they are in snake case there. */
  sameNames?: boolean;
  /** What must change with these changes so that the state is valid; throws for changes that cannot be. */
  settle?(next: Readonly<Record<string, unknown>>, changed: ReadonlySet<string>): Record<string, unknown>;
}

/** @throws TypeError for a name that the model does not have */
export function traitOf({ name: model, traits }: Model, name: string): Trait {
  if (Object.hasOwn(traits, name)) return traits[name]!;
  throw new TypeError(`${model} has no attribute ${name}; it has ${Object.keys(traits).join(", ")}`);
}

/**
 * The value to keep, which is a plain object's part where the attribute is a part.
 *
 * @throws TypeError for a name or a value that the model does not take
 */
export function checkedValue(model: Model, name: string, given: unknown): unknown {
  const trait = traitOf(model, name);
  const value = trait.make && isRecord(given) ? trait.make(given) : given;
  // A copy, because a change of the caller's array would not be seen as one.
  if (trait.accepts(value)) return Array.isArray(value) ? [...value] : value;
  const found = inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 3 });
  throw new TypeError(`${model.name}.${name} must be ${trait.expects}, got ${found}`);
}

/**
 * The values to keep of several attributes; what is undefined is left out.
 *
 * @throws TypeError for what is no object, and for a name or a value that the model does not take
 */
export function checkedValues(model: Model, given: object): Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new TypeError(
      `${model.name} takes an object of its attributes, such as { layout: {} }, got ${inspect(given)}`,
    );
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given))
    if (value !== undefined) checked[name] = checkedValue(model, name, value);
  return checked;
}

/** Attributes in the front end's names and form. */
export function wireState(
  model: Model,
  state: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  const wire: Record<string, unknown> = {};
  for (const name of names) {
    const trait = traitOf(model, name);
    if (trait.local) continue;
    wire[model.sameNames ? name : wireName(name)] = trait.toWire ? trait.toWire(state[name]) : state[name];
  }
  return wire;
}
