/** What a type error does: prevent the cell from running, show a message, or nothing (no check). */
export type TypeErrorPolicy = "error" | "warn" | "off";

const policies: readonly string[] = ["error", "warn", "off"];

export function isTypeErrorPolicy(value: unknown): value is TypeErrorPolicy {
  return typeof value === "string" && policies.includes(value);
}

/** The policy of an environment, in `HALFTONE_TYPES`. */
export function typeErrorPolicy(env: NodeJS.ProcessEnv): { policy: TypeErrorPolicy; problem?: string } {
  const value = env.HALFTONE_TYPES;
  if (value === undefined || value === "") return { policy: "error" };
  if (isTypeErrorPolicy(value)) return { policy: value };
  return {
    policy: "error",
    problem: `Invalid HALFTONE_TYPES "${value}" (expected error, warn or off); using "error".`,
  };
}
