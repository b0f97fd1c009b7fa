import { readMagics } from "../../magics/rewrite.ts";
import { addCalled, type References, readReferences } from "./references.ts";

/** The parts of a saved notebook that tell in which order its cells ran. */
export interface SavedNotebook {
  cells: readonly {
    cell_type: string;
    source: string;
    execution_count?: number | null;
    metadata: Record<string, unknown>;
  }[];
}

export interface OrderReport {
  /** What Restart and Run All would give otherwise than it is there; cells are numbered from 1 among the code cells. */
  problems: { cell: number; message: string }[];
  /** Runs that left no trace but their number. */
  note?: string;
}

interface RunCell {
  number: number;
  count: number | null;
  references: References;
}

/**
 * Whether the outputs of a saved notebook are those that Restart and Run All would give, as far as names and execution counts
 * tell: each cell must have run, after the last cell before it that sets what it reads, and after no other that sets it.
 */
export function checkOrder(notebook: SavedNotebook): OrderReport {
  const cells = runCells(notebook);
  if (cells.every(({ count }) => count === null)) return { problems: [], note: "no cell has run" };
  const problems: OrderReport["problems"] = [];
  for (const [place, cell] of cells.entries())
    for (const message of problemsOf(cell, cells.slice(0, place), cells.slice(place + 1)))
      problems.push({ cell: cell.number, message });
  const note = missingRuns(cells.flatMap(({ count }) => count ?? []));
  return note === undefined ? { problems } : { problems, note };
}

function runCells({ cells }: SavedNotebook): RunCell[] {
  let number = 0;
  return cells.flatMap(({ cell_type, source, execution_count, metadata }) => {
    if (cell_type !== "code") return [];
    number++;
    if (Array.isArray(metadata.tags) && metadata.tags.includes("skip-execution")) return [];
    const references = readReferences(readMagics(source).code);
    return source.trim() === "" ? [] : [{ number, count: execution_count ?? null, references }];
  });
}

function problemsOf({ count, references }: RunCell, before: readonly RunCell[], after: readonly RunCell[]): string[] {
  if (count === null) return ["it has not run"];
  const problems: string[] = [];
  const reads = new Set(references.now);
  addCalled(
    reads,
    [...before, ...after].map((each) => each.references),
  );
  for (const name of reads) {
    const sets = (cell: RunCell) => cell.references.writes.has(name);
    const source = before.findLast(sets);
    const later = after.filter(sets);
    if (!source) {
      const ran = later.find((each) => each.count !== null && each.count < count);
      if (ran) problems.push(`it reads ${name}, which only ${titleOf(ran)} after it sets`);
      continue;
    }
    // An import gives the same value each time.
    if (source.count === null || source.references.imported.has(name)) continue;
    if (source.count > count) {
      problems.push(`it ran as [${count}], before ${titleOf(source)}, which sets ${name}`);
      continue;
    }
    const between = [...before, ...later].filter((each) => sets(each) && isBetween(each.count, source.count!, count));
    const last = between.sort((a, b) => b.count! - a.count!)[0];
    if (last) problems.push(`it read ${name} as ${titleOf(last)} set it; in order it reads that of ${titleOf(source)}`);
  }
  return problems;
}

function titleOf({ number, count }: RunCell): string {
  return count === null ? `cell ${number}` : `cell ${number}, run as [${count}]`;
}

function isBetween(count: number | null, low: number, high: number): boolean {
  return count !== null && count > low && count < high;
}

function missingRuns(counts: readonly number[]): string | undefined {
  const last = Math.max(0, ...counts);
  const missing = last - new Set(counts).size;
  if (missing <= 0) return undefined;
  const runs = `${missing} of ${last} runs`;
  return `${runs} are not in the notebook: cells that ran more than once or are gone may have changed variables`;
}
