/** Requests from the session other than cells: each part of the host registers its methods. */

import { types } from "node:util";
import type { Command } from "../../protocol/host.ts";
import { describeSafely } from "../errors/errors.ts";
import { intrinsics, Table } from "../primordials.ts";
import { sendEvent } from "./output-buffer.ts";

type Call = Extract<Command, { type: "call" }>;
type Method = (params: never) => unknown;

const methods: Table<string, Method> = new Table();

export function answerCalls<Params>(method: string, answer: (params: Params) => unknown): void {
  methods.set(method, answer as Method);
}

export async function call({ call: id, method, params }: Call): Promise<void> {
  try {
    const answer = methods.get(method);
    if (!answer) throw new intrinsics.Error(`the host has no method ${method}`);
    const made = answer(params as never);
    // Other values are not awaited, because a cell may give all objects a method `then`.
    const value = types.isPromise(made) ? await made : made;
    sendEvent({ type: "answer", call: id, value: value ?? null });
  } catch (error) {
    const { ename, evalue } = describeSafely(error);
    sendEvent({ type: "refused", call: id, ename, evalue });
  }
}
