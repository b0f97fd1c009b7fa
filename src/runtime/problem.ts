/** Something on this machine that a person can put right. The message says what is wrong and what to do, in a line or two. */
export class SetupProblem extends Error {
  override name = "SetupProblem";
}
