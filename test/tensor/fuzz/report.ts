// Runs programs and tells which differences no row of the table allows, and which rows were needed.
import { type Backend, differences } from "./compare.ts";
import type { Program } from "./program.ts";
import { runProgram } from "./run.ts";
import { allows, type Row } from "./table.ts";

export interface Unexplained {
  program: Program;
  text: string;
}

export interface Report {
  /** One for each program that has any. */
  unexplained: Unexplained[];
  /** The places in the table of rows that allowed a difference. */
  needed: number[];
}

export function report(programs: readonly Program[], rows: readonly Row[], backend: Backend): Report {
  const needed = new Set<number>();
  const unexplained = programs.flatMap((program, position) => {
    const open = differences(program, runProgram(program, position), backend).filter((difference) => {
      const row = rows.findIndex((candidate) => allows(candidate, difference, program, backend));
      if (row >= 0) needed.add(row);
      return row < 0;
    });
    return open.length === 0 ? [] : [{ program, text: `${open[0]!.part}: ${open[0]!.text}` }];
  });
  return { unexplained, needed: [...needed].sort((a, b) => a - b) };
}
