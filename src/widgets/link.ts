import { inspect } from "node:util";
import { DirectionalLink, Link } from "./models.ts";
import { isWidget } from "./registry.ts";
import type { Widget } from "./widget.ts";

/** A widget and the name of one of its attributes. */
type End<T extends object, K extends keyof T & string> = readonly [Widget<T>, K];

/** `[slider, "value"]` where the other attribute has the same type. */
type SameType<From, To> = [From] extends [To] ? unknown : never;

/**
 * Keeps two attributes equal, in this process; the second takes the value of the first. Returns a function that ends this.
 * `link([slider, "value"], [text, "value"])`.
 */
export function link<A extends object, K extends keyof A & string, B extends object, L extends keyof B & string>(
  first: End<A, K>,
  second: readonly [Widget<B>, L & SameType<A[K], B[L]> & SameType<B[L], A[K]>],
): () => void {
  const ends = [follow(first, second), follow(second, first)];
  return () => {
    for (const end of ends) end();
  };
}

/** The second attribute follows the first, in this process. Returns a function that ends this. */
export function directionalLink<
  A extends object,
  K extends keyof A & string,
  B extends object,
  L extends keyof B & string,
>(source: End<A, K>, target: readonly [Widget<B>, L & SameType<A[K], B[L]>]): () => void {
  return follow(source, target);
}

/** Keeps two attributes equal in the front end, without this process: also in a report. Its `close` ends this. */
export function frontEndLink<
  A extends object,
  K extends keyof A & string,
  B extends object,
  L extends keyof B & string,
>(source: End<A, K>, target: readonly [Widget<B>, L & SameType<A[K], B[L]> & SameType<B[L], A[K]>]): Link {
  checkEnds(source, target);
  return new Link({ source, target });
}

/** The second attribute follows the first in the front end, without this process. Its `close` ends this. */
export function frontEndDirectionalLink<
  A extends object,
  K extends keyof A & string,
  B extends object,
  L extends keyof B & string,
>(source: End<A, K>, target: readonly [Widget<B>, L & SameType<A[K], B[L]>]): DirectionalLink {
  checkEnds(source, target);
  return new DirectionalLink({ source, target });
}

type AnyEnd = readonly [Widget<object>, string];

/** @throws TypeError for an end that is not a widget and the name of one of its attributes */
function checkEnds(...ends: AnyEnd[]): void {
  for (const end of ends) {
    if (!Array.isArray(end) || !isWidget(end[0]))
      throw new TypeError(
        `a link needs a widget and the name of its attribute, [slider, "value"], got ${inspect(end)}`,
      );
    // It refuses a name that the widget does not have.
    (end[0] as Widget<Record<string, unknown>>).observe(String(end[1]), () => {})();
  }
}

function follow(from: AnyEnd, to: AnyEnd): () => void {
  checkEnds(from, to);
  const [source, name] = from as unknown as [Widget<Record<string, unknown>>, string];
  const [target, other] = to as unknown as [Widget<Record<string, unknown>>, string];
  target.set({ [other]: source.get(name) });
  return source.observe(name, ({ value }) => {
    if (!target.closed) target.set({ [other]: value });
  });
}
