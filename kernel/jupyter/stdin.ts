/** Input requests: sent to the client that runs the cell, answered on the stdin channel. */
import * as v from "valibot";
import type { Header, Message } from "./messages.ts";

const inputReply = v.object({ value: v.string() });

interface Question {
  /** The message id of the question, which the answer names as its parent. */
  id: string;
  /** The cell's request. */
  cell: Message;
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
      this.#open.push({ id, cell: request, answer, refuse });
    });
  }

  /** An `input_reply`. What answers a question that is no longer asked, such as an interrupted one, is ignored. */
  receive(reply: Message): void {
    const content = v.safeParse(inputReply, reply.content);
    const question = this.#open.findLast((each) => isAnswer(reply, each));
    this.#open = this.#open.filter((each) => each !== question);
    question?.answer(content.success ? content.output.value : "");
  }

  /** The cell has ended: its questions need no answer. */
  cancel(request: Message): void {
    const over = this.#open.filter(({ cell }) => cell === request);
    this.#open = this.#open.filter((question) => !over.includes(question));
    for (const { refuse } of over) refuse(new Error("the cell has ended"));
  }
}

/** jupyter_client's own clients name no parent, and mean what they were asked last; some name the cell's request. */
function isAnswer({ parent, identities }: Message, { id, cell }: Question): boolean {
  const named = parent.msg_id;
  if (typeof named === "string" && named !== "") return named === id || named === cell.header.msg_id;
  return sameClient(identities, cell.identities);
}

function sameClient(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  return Buffer.concat(one).equals(Buffer.concat(other));
}
