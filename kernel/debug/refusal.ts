/** A request that cannot be answered, and why: the message of the error response, a sentence that a person reads. */
export class Refusal extends Error {}
