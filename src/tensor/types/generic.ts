// Shapes with a type parameter: `S` itself, `["batch", ...S]` and `[...S, 64]`. The compiler leaves a conditional type that checks
// such a shape undecided until the parameter is known. What is decided before is decided by these comparisons of interfaces: the
// compiler compares those at once, and by their parts.

/** Wraps a shape or a dimension for comparison; also takes a tuple with a type parameter apart. */
export interface Box<D> {
  readonly held: D;
}

/** As `Box`; `Exact<A>` extends `Exact<B>` only where A and B are the same. */
export interface Exact<in out S> {
  readonly held: S;
}

/** Two types to compare at once. */
export interface Evidence<S, T> {
  readonly first: S;
  readonly second: T;
}

// Whether a shape has a type parameter: two conditional types that are not resolved are compared by their parts, and these are
// related. They are 2 and 1 for every shape that is known. The compiler also answers where a type is declared, and then for every
// S, so that what depends on this must depend on something else that is not known there.

// biome-ignore lint/suspicious/noExplicitAny: fits a name and a size
type Any = any;
/** More axes than a tensor has: fits only a shape of which the number of axes is not known. */
type Long = [Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any];

/** Extends `Resolved<S>` only if S has a type parameter, or is not known at all. */
export type Unresolved<S> = Long extends S ? 1 : 2;
export type Resolved<S> = never extends S ? 1 : 2;

/** Extends `NoArray<S>` unless S is known as an array of any length. */
export type IsArray<S> = Any[] extends S ? 1 : 2;
export type NoArray<S> = unknown extends S ? 1 : 2;

// The same for a shape that is a type parameter or not resolved for another reason: not for a tuple that has one.
type UnresolvedAlone<S> = [S] extends [object] ? 1 : 2;
type ResolvedAlone<S> = [S | 0] extends [object] ? 1 : 2;

/** Whether S is a type parameter or not resolved; T, known only where this is used, extends `Of`. */
export type IsParameter<S, T, Of> =
  Evidence<UnresolvedAlone<S>, T> extends Evidence<ResolvedAlone<S>, Of> ? true : false;
