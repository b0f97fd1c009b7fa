/** An error that the user can correct. Commands print only its message, without a stack, and exit with `status`. */
export class UserError extends Error {
  override name = "UserError";
  /** The exit status: 2 for a command that cannot be carried out as given, 1 for work that failed. */
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 2) {
    super(message);
    this.status = status;
  }
}
