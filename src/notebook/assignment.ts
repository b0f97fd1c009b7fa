import { createHash } from "node:crypto";
import { UserError } from "../base/user-error.ts";
import { languageOf } from "./language.ts";
import type { Cell, Notebook } from "./nbformat.ts";

/** The text that replaces a solution in the student version; nbgrader_config.py sets the same text for nbgrader. */
export const CODE_STUB = '// YOUR CODE HERE\nthrow new Error("not implemented");';
const TEXT_STUB = "YOUR ANSWER HERE";

/** A cell's role in an assignment, as nbgrader stores it in the metadata (schema 3). */
interface Part {
  grade: boolean;
  solution: boolean;
  locked: boolean;
  task?: boolean;
  grade_id: string;
  points?: number;
  schema_version: number;
  checksum?: string;
  cell_type?: string;
}

/**
 * The student version of an assignment: solutions are replaced by a stub, hidden tests and mark schemes removed, outputs cleared and the
 * instructor's cells locked. The result equals that of nbgrader 0.9's `generate_assignment`.
 */
export function studentVersion(source: Notebook, name: string): Notebook {
  if (!["typescript", "javascript"].includes(languageOf(source))) {
    throw new UserError(
      `${name} is a ${languageOf(source)} notebook; halftone assign supports only TypeScript notebooks.`,
    );
  }
  const notebook = structuredClone(source);
  const ids = new Set<string>();
  let parts = 0;
  for (const cell of notebook.cells) {
    const refuse = (what: string) =>
      new UserError(`${name}: ${what}, in the cell that begins "${cell.source.split("\n")[0]}".`);
    const part = partOf(cell, refuse);
    if (part) parts++;
    if (part && (part.grade || part.solution || part.locked)) {
      if (ids.has(part.grade_id)) throw refuse(`the grade_id "${part.grade_id}" is used twice`);
      ids.add(part.grade_id);
    }
    lock(cell, part);
    const solved = replaceRegion(cell, "SOLUTION", stubFor(cell), refuse);
    if (solved && !part?.solution) throw refuse("a solution region is outside a solution cell");
    if (part?.solution && !solved) cell.source = stubFor(cell);
    clear(cell);
    if (replaceRegion(cell, "HIDDEN TESTS", undefined, refuse) && !part?.grade)
      throw refuse("hidden tests are outside a test cell");
    if (replaceRegion(cell, "MARK SCHEME", undefined, refuse) && !part?.task)
      throw refuse("a mark scheme is outside a manually graded task");
    if (part && (part.grade || part.solution || isLocked(part))) {
      part.checksum = checksum(cell, part);
      part.cell_type = cell.cell_type;
    }
  }
  if (parts === 0) throw new UserError(`${name} is not an assignment: no cell has nbgrader metadata.`);
  delete notebook.metadata.celltoolbar;
  return notebook;
}

type Refuse = (what: string) => UserError;

function partOf(cell: Cell, refuse: Refuse): Part | undefined {
  const part = cell.metadata.nbgrader as Part | undefined;
  if (part === undefined) return undefined;
  if (part.schema_version !== 3)
    throw refuse(
      `its nbgrader metadata has schema ${part.schema_version ?? 0}, not 3 (\`nbgrader update\` converts it)`,
    );
  if ((part.grade || part.solution || part.locked) && !part.grade_id) throw refuse("an nbgrader cell has no grade_id");
  if (part.grade && typeof part.points !== "number") throw refuse(`"${part.grade_id}" has no points`);
  const isTextAnswer = cell.cell_type === "markdown" && !part.task;
  if (isTextAnswer && part.grade !== part.solution)
    throw refuse(`"${part.grade_id}" is a text cell: it must be both graded and a solution, or neither`);
  if (part.task && cell.cell_type !== "markdown") throw refuse(`the task "${part.grade_id}" is not a markdown cell`);
  return part;
}

/** A test cell is always locked, a solution cell never, whatever `locked` says. */
function isLocked({ solution, grade, locked }: Part): boolean {
  return !solution && (grade || locked);
}

function lock(cell: Cell, part: Part | undefined): void {
  if (!part) return;
  if (part.solution) cell.metadata.deletable = false;
  else if (isLocked(part)) Object.assign(cell.metadata, { deletable: false, editable: false });
}

function stubFor(cell: Cell): string {
  return cell.cell_type === "code" ? CODE_STUB : TEXT_STUB;
}

/** Replaces each region between `BEGIN name` and `END name` with the stub, indented like the region. Returns whether a region was found. */
function replaceRegion(cell: Cell, name: string, stub: string | undefined, refuse: Refuse): boolean {
  const kept: string[] = [];
  let inside = false;
  let found = false;
  for (const line of cell.source.split("\n")) {
    if (line.includes(`BEGIN ${name}`)) {
      if (inside) throw refuse(`BEGIN ${name} is nested in another one`);
      inside = found = true;
      const indent = /^\s*/.exec(line)![0];
      if (stub !== undefined) kept.push(...stub.split("\n").map((each) => indent + each));
    } else if (line.includes(`END ${name}`)) inside = false;
    else if (!inside) kept.push(line);
    else if (name === "MARK SCHEME" && /!\[.*\]\(attachment:.+?\)/.test(line))
      throw refuse("a mark scheme has an attachment, which the student's version would keep");
  }
  if (inside) throw refuse(`BEGIN ${name} has no END ${name}`);
  cell.source = kept.join("\n");
  return found;
}

function clear(cell: Cell): void {
  if (cell.cell_type !== "code") return;
  cell.outputs = [];
  cell.execution_count = null;
  for (const key of ["collapsed", "scrolled"]) delete cell.metadata[key];
}

/** nbgrader's checksum. It shows whether a student changed a locked cell, or answered at all. */
function checksum(cell: Cell, part: Part): string {
  const pythonBool = (value: boolean) => (value ? "True" : "False");
  const hash = createHash("md5");
  hash.update(cell.source).update(cell.cell_type);
  hash
    .update(pythonBool(part.grade))
    .update(pythonBool(part.solution))
    .update(pythonBool(isLocked(part)));
  hash.update(part.grade_id);
  if (part.grade) hash.update(pythonFloat(part.points!));
  return hash.digest("hex");
}

/** Python's `str(float(value))`. */
function pythonFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
