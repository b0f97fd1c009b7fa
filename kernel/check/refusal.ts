import { NotebookProblem } from "../../src/notebook/problem.ts";

/** Something about the notebook that the person can put right: a command line says the message alone. */
export function notebookProblem(message: string, status?: 1 | 2): Error {
  return new NotebookProblem(message, status);
}
