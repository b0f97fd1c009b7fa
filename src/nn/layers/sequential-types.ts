// The shapes of layers one after another, as types. Their cost is measured by bench/types.ts.
import type { Differ, DimText, Rest, Shape } from "../../tensor/types/shape.ts";
import type { ShapeOf, Tensor } from "../../tensor/types/tensor.ts";
import type { ApplyOptions } from "../layer.ts";
import type { Ruled, SameShape, ShapeRule } from "./shape-rule.ts";
import type { NoParameters, ruleOf } from "./tensor-layer.ts";

/** An element of `sequential`: a layer, or a function of a tensor. */
export type Stage =
  | { readonly parameters: object; apply(parameters: never, input: never, options?: ApplyOptions): unknown }
  | ((x: Tensor) => unknown);

/** The parameters of each element. */
export type ParameterList<L> = {
  -readonly [I in keyof L]: L[I] extends { readonly parameters: infer P } ? P : NoParameters;
};

/** Layers in a row have as rule the rules of each in a row. */
export interface Piped<L> extends ShapeRule {
  readonly out: 0 extends 1 & L ? Shape : Through<L, this["in"]>;
  readonly takes: 0 extends 1 & L ? unknown : FirstTakes<L>;
  readonly gives: 0 extends 1 & L ? unknown : LastGives<L>;
}

type Through<L, S> = S extends string
  ? S
  : L extends readonly [infer X, ...infer R extends Rest<L>]
    ? Ruled<RuleOf<X>, S> extends infer Next
      ? Through<R, Next>
      : never
    : L extends readonly []
      ? S
      : Shape;

/** The rule of an element. The shape that an arbitrary function gives is that of its result's type. */
export type RuleOf<X> = X extends { readonly [ruleOf]: infer R extends ShapeRule }
  ? R
  : X extends (...args: never) => infer Out
    ? KeepsShape<X> extends true
      ? SameShape
      : Always<Out>
    : X extends { apply(parameters: never, input: never, options?: ApplyOptions): infer Out }
      ? Always<Out>
      : Always<Tensor>;

interface Always<Out> extends ShapeRule {
  readonly out: ShapeOf<Out>;
  readonly takes: unknown;
  readonly gives: ShapeOf<Out> extends [...Rest<Out>, infer D] ? D : unknown;
}

/** Whether a generic function gives the shape that it takes. A result of unknown shape would fit any. */
type KeepsShape<X> = X extends (x: Tensor<["one"]>) => Tensor<["other"]>
  ? false
  : X extends (x: Tensor<["one"]>) => Tensor<["one"]>
    ? true
    : false;

type FirstTakes<L> = L extends readonly [infer X, ...infer R extends Rest<L>]
  ? unknown extends RuleOf<X>["takes"]
    ? RuleOf<X>["gives"] extends "same"
      ? FirstTakes<R>
      : unknown
    : RuleOf<X>["takes"]
  : unknown;

type LastGives<L, G = "same"> = L extends readonly [infer X, ...infer R extends Rest<L>]
  ? LastGives<R, Gives<RuleOf<X>, G>>
  : L extends readonly []
    ? G
    : unknown;

type Gives<R extends ShapeRule, Before> = R["gives"] extends "same" ? Before : R["gives"];

/** `unknown` for each element, and a message for one that takes another last axis than the element before gives. */
export type Agreeing<L> = 0 extends 1 & L ? unknown : Agreed<L>;

type Agreed<L, G = unknown, Out extends unknown[] = []> = L extends readonly [infer X, ...infer R extends Rest<L>]
  ? RuleOf<X> extends infer Q extends ShapeRule
    ? Clash<G, Q["takes"]> extends true
      ? [
          ...Out,
          `sequential: layer ${Out["length"]} takes ${DimText<Q["takes"]>} features, but gets ${DimText<G>}`,
          ...unknown[],
        ]
      : Agreed<R, Gives<Q, G>, [...Out, unknown]>
    : never
  : unknown;

type Clash<G, T> = unknown extends G ? false : unknown extends T ? false : Differ<G, T>;
