import { candidates, inferred, proof, shownType } from "./freeze.ts";
import type { History, PastCell } from "./history.ts";
import { markupText } from "./positions.ts";
import type { Workspace } from "./workspace.ts";

/** Variables whose types are written down at one time. */
const mostTypes = 100;
/** Modules in which a type's name is looked for that the cell has not got. */
const mostModules = 4;

/**
 * Writes the types of variables into their cells, where later cells would have to work them out again. The server tells
 * each type, and then of its writing whether it is the very same.
 */
export async function writeTypes(workspace: Workspace, history: History, cells: readonly PastCell[]): Promise<void> {
  const modules = history.modules().slice(0, mostModules);
  const asked = cells
    .filter((cell) => history.has(cell))
    .flatMap((cell) => inferred(cell.facts).map(([name]) => ({ cell, name })))
    .slice(0, mostTypes);
  const found = new Map<PastCell, { name: string; type: string }[]>();
  for (const { cell, name } of asked) {
    const hover = await workspace.hover(cell.module, cell.places.get(name)!);
    const shown = hover ? shownType(markupText(hover.contents), name) : undefined;
    if (shown === undefined) continue;
    const written = candidates(shown, cell.facts, (word) => history.moduleOfType(word), modules);
    found.set(cell, [...(found.get(cell) ?? []), ...written.map((type) => ({ name, type }))]);
  }
  for (const [cell, each] of found) workspace.put(cell.module, cell.text + proof(each));
  for (const [cell, each] of found) history.freeze(cell, await proved(workspace, cell, each));
  for (const { module, text } of found.keys()) workspace.put(module, text);
}

/** The first writing of each variable that the server took for the same. */
async function proved(workspace: Workspace, { module, text }: PastCell, each: { name: string; type: string }[]) {
  const types = new Map<string, string>();
  const wrong = new Set((await workspace.diagnose(module)).map(({ range }) => range.start.line));
  const first = text.split("\n").length;
  // The last line is always wrong, unless nothing is checked there.
  if (!wrong.has(first + each.length)) return types;
  for (const [index, { name, type }] of each.entries())
    if (!wrong.has(first + index) && !types.has(name)) types.set(name, type);
  return types;
}
