/** Requests from the session other than cells: each part of the host registers its methods. */

import type { Command } from "../../protocol/host.ts";
import { makeString, Table } from "../primordials.ts";
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
    if (!answer) throw new Error(`the host has no method ${method}`);
    const value = await answer(params as never);
    sendEvent({ type: "answer", call: id, value: value ?? null });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: "Error", message: makeString(error) };
    sendEvent({ type: "refused", call: id, ename: name, evalue: message });
  }
}
