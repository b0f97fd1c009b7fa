/** `prompt`, `confirm` and `alert`, as browsers and Deno have them: they wait for the answer without an `await`. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { GuardCommand } from "../../protocol/host.ts";
import { defineProperty, intrinsics } from "../primordials.ts";
import { currentId } from "../run/cells.ts";
import { stopIfInterrupted } from "../run/keyboard-interrupt.ts";
import { type Shared, slots } from "../run/shared.ts";
import { sendEvent } from "./output-buffer.ts";

type Answer = Extract<GuardCommand, { type: "input" }>;

/** Milliseconds between two looks for an interrupt. */
const look = 100;
const { load, wait } = Atomics;
let last = 0;
let ask: (prompt: string, password?: boolean) => string;

/** `answers` is the port to which the guard thread sends them, because this thread's own pipe is not read while it waits. */
export function installPrompt(shared: Shared, answers: MessagePort): void {
  ask = (prompt, password = false) => {
    const request = --last;
    sendEvent({ type: "input", cell: currentId(), request, prompt, password, waits: true });
    for (;;) {
      const seen = load(shared, slots.answers);
      const received = receiveMessageOnPort(answers) as { message: Answer } | undefined;
      if (received?.message.request === request) return textOf(received.message);
      if (!received) wait(shared, slots.answers, seen, look);
      stopIfInterrupted(undefined);
    }
  };
  for (const [name, value] of Object.entries({ prompt, confirm, alert }))
    defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}

function textOf(answer: Answer): string {
  if ("text" in answer) return answer.text;
  throw new intrinsics.Error(answer.refusal);
}

/** Asks the user, and returns what was typed, or `defaultValue` for an empty line. With `password` it is not shown. */
export function prompt(
  message = "Prompt",
  defaultValue = "",
  { password = false }: { password?: boolean } = {},
): string {
  const typed = ask(defaultValue === "" ? `${message}` : `${message} [${defaultValue}]`, password);
  return typed === "" ? defaultValue : typed;
}

/** Asks the user, and returns whether the answer was y or Y. */
export function confirm(message = "Confirm"): boolean {
  const typed = ask(`${message} [y/N] `);
  return typed === "y" || typed === "Y";
}

/** Shows a message, and waits until the user has pressed Enter. */
export function alert(message = "Alert"): void {
  ask(`${message} [Enter] `);
}
