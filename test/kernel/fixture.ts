import { after } from "node:test";
import type { CellOutcome, MimeBundle, Output } from "../../kernel/session/output.ts";
import { type ExecuteOptions, Session, type SessionOptions } from "../../kernel/session/session.ts";

export interface Ran {
  outcome: CellOutcome;
  outputs: Output[];
  /** The whole of stdout and of stderr. */
  stdout: string;
  stderr: string;
  /** The last expression's value as text. */
  text: string | undefined;
  result: MimeBundle | undefined;
  error: Extract<Output, { type: "error" }> | undefined;
}

export interface Notebook {
  session: Session;
  run(code: string, options?: Partial<ExecuteOptions>): Promise<Ran>;
}

/** These cells are about running; test/check has those about types. */
export const untyped = { types: { policy: "off" } } as const;

/** A session that ends with the test file. What runs is asked here; types are checked where a test says so. */
export function openNotebook(options: Partial<SessionOptions> = {}): Notebook {
  const session = Session.start({ cwd: process.cwd(), ...untyped, ...options });
  after(() => session[Symbol.asyncDispose]());
  return { session, run: (code, given) => runIn(session, code, given) };
}

export async function runIn(session: Session, code: string, options: Partial<ExecuteOptions> = {}): Promise<Ran> {
  const outputs: Output[] = [];
  const outcome = await session.execute(code, {
    ...options,
    onOutput: (output) => {
      outputs.push(output);
      options.onOutput?.(output);
    },
  });
  const result = outputs.find((output) => output.type === "result")?.data;
  return {
    outcome,
    outputs,
    stdout: streamOf(outputs, "stdout"),
    stderr: streamOf(outputs, "stderr"),
    text: result?.["text/plain"] as string | undefined,
    result,
    error: outputs.find((output) => output.type === "error"),
  };
}

export function streamOf(outputs: Output[], name: "stdout" | "stderr"): string {
  return outputs.map((output) => (output.type === "stream" && output.name === name ? output.text : "")).join("");
}

/** Asks again until it is so. */
export async function until(condition: () => boolean, what: string, deadline = 10_000): Promise<void> {
  const end = Date.now() + deadline;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${deadline} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
