/** What the command was given cannot be used. What this machine refuses is a `SetupProblem`. */
export class NotebookProblem extends Error {
  override name = "NotebookProblem";
  /** The command's: 2, or 1 for a fault in the notebook's own code. */
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 2) {
    super(message);
    this.status = status;
  }
}
