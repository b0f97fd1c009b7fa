import type { Command } from "../../protocol/host.ts";
import { defineProperty, intrinsics, Table } from "../primordials.ts";
import { currentId } from "../run/cells.ts";
import { sendEvent } from "./output-buffer.ts";

interface Question {
  resolve: (text: string) => void;
  reject: (error: Error) => void;
}
const questions = new Table<number, Question>();
let lastRequest = 0;

/**
 * `await input(prompt, { password })` asks the user; library code finds it as `globalThis[Symbol.for("halftone.input")]`, whatever a
 * cell calls `input`.
 */
export function installInput(): void {
  defineProperty(globalThis, "input", { value: input, configurable: true, enumerable: false, writable: true });
  defineProperty(globalThis, Symbol.for("halftone.input"), { value: input, enumerable: false });
}

/** Asks the user; resolves to what was typed. */
export function input(prompt = "", options: { password?: boolean } = {}): Promise<string> {
  return new intrinsics.Promise((resolve, reject) => {
    const request = ++lastRequest;
    questions.set(request, { resolve, reject });
    sendEvent({ type: "input", cell: currentId(), request, prompt: `${prompt}`, password: options.password === true });
  });
}

export function answer(command: Extract<Command, { type: "input" }>): void {
  const question = questions.get(command.request);
  questions.delete(command.request);
  if ("text" in command) question?.resolve(command.text);
  else question?.reject(new intrinsics.Error(command.refusal));
}
