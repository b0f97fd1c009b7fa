// Patterns of the paths of a tree's leaves.
import { nearestNames } from "../base/nearest-names.ts";

/**
 * Which paths are meant: a part of the tree (`"layers.0"`, with all that is below it), with `*` for one key and `**` for any number
 * (`"layers.*.up"`, `"**.bias"`), or a regular expression that is found in the path (`/bias|norm/`).
 */
export type PathPattern = string | RegExp;

/**
 * The paths that at least one of the patterns matches, in their order.
 *
 * @throws RangeError for a pattern that matches none, with the nearest paths; TypeError for what is no pattern
 */
export function matchPaths(
  op: string,
  patterns: PathPattern | readonly PathPattern[],
  paths: readonly string[],
): string[] {
  const matched = new Set<string>();
  for (const pattern of Array.isArray(patterns) ? (patterns as PathPattern[]) : [patterns as PathPattern]) {
    const found = paths.filter(matchesPath(op, pattern));
    if (found.length === 0) throw new RangeError(`${op}: ${noneOf(pattern, paths)}`);
    for (const path of found) matched.add(path);
  }
  return paths.filter((path) => matched.has(path));
}

/**
 * Whether a path is meant by a pattern.
 *
 * @throws TypeError for what is no pattern
 */
export function matchesPath(op: string, pattern: PathPattern): (path: string) => boolean {
  if (pattern instanceof RegExp) return (path) => path.search(pattern) >= 0;
  if (typeof pattern !== "string" || pattern === "")
    throw new TypeError(
      `${op}: a pattern must be a path such as "layers.*.up" or a regular expression, got ${pattern === "" ? '""' : typeof pattern}`,
    );
  const keys = pattern.split(".");
  const source = keys.map((key, i) => {
    const isLast = i === keys.length - 1;
    if (key === "**") return isLast ? ".*" : "(?:[^.]+\\.)*";
    return key.split("*").map(escaped).join("[^.]*") + (isLast ? "" : "\\.");
  });
  const expression = new RegExp(`^${source.join("")}(?:\\.|$)`);
  return (path) => expression.test(path);
}

function noneOf(pattern: PathPattern, paths: readonly string[]): string {
  const what = `${pattern instanceof RegExp ? pattern : JSON.stringify(pattern)} matches none of the ${paths.length} paths`;
  if (paths.length === 0) return what;
  const given = pattern instanceof RegExp ? pattern.source : pattern;
  // A part of the tree is nearer to what was meant than the leaves below it.
  const parts = paths.flatMap((path) => path.split(".").map((_, i, keys) => keys.slice(0, i + 1).join(".")));
  return `${what}; the nearest are ${nearestNames(given, parts).join(", ")}`;
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
