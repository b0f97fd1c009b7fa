import type { Workspace } from "../server/workspace.ts";
import { assignabilityCheck, candidates, inferred, shownType } from "./materialize-types.ts";
import { proofModule } from "./paths.ts";
import { markupText } from "./positions.ts";
import type { PastCell, Program } from "./program.ts";

/** The most variables whose types are written in one call. */
const mostTypes = 100;
/** The most modules in which a type's name is looked up when the cell does not have it. */
const mostModules = 4;

interface Written {
  cell: PastCell;
  name: string;
  variable: string;
  type: string;
}

/**
 * Adds type annotations to variables of past cells, so that the server need not infer their types again for later cells.
 * The server shows each type, then checks whether its written form is identical.
 */
export async function writeTypes(workspace: Workspace, history: Program, cells: readonly PastCell[]): Promise<void> {
  const modules = history.modules().slice(0, mostModules);
  const questions = cells
    .filter((cell) => history.has(cell))
    .flatMap((cell) => inferred(cell.facts).map(([name]) => ({ cell, name })))
    .slice(0, mostTypes);
  const written: Written[] = [];
  for (const { cell, name } of questions) {
    const { module, position } = history.placeIn(cell, name);
    const hover = await workspace.hover(module, position);
    const typeText = hover ? shownType(markupText(hover.contents), name) : undefined;
    if (typeText === undefined) continue;
    const { path } = history.placeOf(cell);
    const find = (word: string) => history.typeNamed(word);
    const texts = candidates(typeText, { path, facts: cell.facts, types: cell.types, find, modules });
    for (const type of texts) written.push({ cell, name, variable: `${path}.${name}`, type });
  }
  const proved = await prove(workspace, written);
  for (const [cell, types] of proved) if (history.has(cell)) history.freeze(cell, types);
}

/** The first candidate of each variable that is identical to its type. */
async function prove(workspace: Workspace, given: readonly Written[]): Promise<Map<PastCell, Map<string, string>>> {
  const proved = new Map<PastCell, Map<string, string>>();
  if (given.length === 0) return proved;
  const { text, first } = assignabilityCheck(given);
  workspace.put(proofModule, text);
  const wrong = new Set((await workspace.diagnose(proofModule)).map(({ range }) => range.start.line));
  // The last line always has an error, unless the file was not checked.
  if (!wrong.has(first + given.length)) return proved;
  for (const [index, { cell, name, type }] of given.entries()) {
    if (wrong.has(first + index)) continue;
    const types = proved.get(cell) ?? new Map<string, string>();
    if (!types.has(name)) types.set(name, type);
    proved.set(cell, types);
  }
  return proved;
}
