/** Something the person can put right. The command line prints its message alone, without a stack trace. */
export class NotebookProblem extends Error {
  override name = "NotebookProblem";
}
