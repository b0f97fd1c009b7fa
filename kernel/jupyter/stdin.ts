/** Questions to the person: sent to the client that runs the cell, answered on the stdin channel. */
import * as v from "valibot";
import type { Header, Message } from "./messages.ts";

const inputReply = v.object({ value: v.string() });

interface Question {
  /** The message id of the question, which the answer names as its parent. */
  id: string;
  /** The message id of the cell's request. */
  cell: string;
  answer: (text: string) => void;
  refuse: (why: Error) => void;
}

export class Stdin {
  readonly #send: (msgType: string, content: object, request: Message) => Header;
  #open: Question[] = [];

  constructor(send: (msgType: string, content: object, request: Message) => Header) {
    this.#send = send;
  }

  /** Resolves to what was typed. */
  ask(prompt: string, password: boolean, request: Message): Promise<string> {
    const { msg_id: id } = this.#send("input_request", { prompt, password }, request);
    return new Promise((answer, refuse) => {
      this.#open.push({ id, cell: request.header.msg_id, answer, refuse });
    });
  }

  /** An `input_reply`. Older clients name no parent, and mean the question asked last. */
  receive(reply: Message): void {
    const content = v.safeParse(inputReply, reply.content);
    const named = this.#open.findIndex(({ id }) => id === reply.parent.msg_id);
    const [question] = this.#open.splice(named >= 0 ? named : this.#open.length - 1, 1);
    question?.answer(content.success ? content.output.value : "");
  }

  /** The cell is over: nobody waits for its answers. */
  cancel(request: Message): void {
    const over = this.#open.filter(({ cell }) => cell === request.header.msg_id);
    this.#open = this.#open.filter((question) => !over.includes(question));
    for (const { refuse } of over) refuse(new Error("the cell has ended"));
  }
}
