// What a layer makes of a shape, as a type.
import type { Differ, DimText, IsUnknown, Rest, Shape, ShapeText } from "../../tensor/types/shape.ts";

/**
 * The rule of a layer: `out` is the shape that it makes of the shape `in`, or a message for a shape that it does not take. A rule
 * writes `out` in terms of `this["in"]`, and `Ruled` gives `in`. `takes` and `gives` are the sizes of the last axis, which
 * adjacent layers must agree on before an input is known: `unknown` for any, and "same" gives what it takes.
 */
export interface ShapeRule {
  readonly in: unknown;
  readonly out: unknown;
  readonly takes: unknown;
  readonly gives: unknown;
}

/** The shape that a rule makes of `S`, or a message. */
export type Ruled<R extends ShapeRule, S> = S extends string ? S : (R & { readonly in: S })["out"];

/** Any shape stays the same. */
export interface SameShape extends ShapeRule {
  readonly out: this["in"];
  readonly takes: unknown;
  readonly gives: "same";
}

/** `[..., in]` becomes `[..., out]`. */
export interface Features<Name extends string, In, Out> extends ShapeRule {
  readonly out: WithFeatures<this["in"], Name, In, Out>;
  readonly takes: In;
  readonly gives: Out;
}

type WithFeatures<S, Name extends string, In, Out> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [...infer Batch extends Rest<S>, infer Last]
      ? Differ<Last, In> extends true
        ? Unfit<Name, `..., ${DimText<In>}`, S>
        : [...Batch, Out]
      : Unfit<Name, `..., ${DimText<In>}`, S>;

/** The message for a shape that a layer does not take. */
export type Unfit<
  Name extends string,
  Expected extends string,
  S,
> = `${Name}: expected [${Expected}], got ${ShapeText<S>}`;

/** Indices of any shape become rows of `features`. */
export interface Rows<F> extends ShapeRule {
  readonly out: IsUnknown<this["in"]> extends true
    ? Shape
    : this["in"] extends [...infer S extends Rest<this["in"]>]
      ? [...S, F]
      : Shape;
  readonly takes: unknown;
  readonly gives: F;
}
