/** Something about a notebook that its author can put right; the command line says it without a stack. */
export function notebookProblem(message: string): Error {
  return Object.assign(new Error(message), { name: "NotebookProblem" });
}
