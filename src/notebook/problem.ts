/** What the command was given cannot be used: exit status 2. What this machine refuses is a `SetupProblem`. */
export class NotebookProblem extends Error {
  override name = "NotebookProblem";
}
