/**
 * What a kernel says about one request, taken message by message in exact order. Whatever a test does not name fails it: the
 * habit of posit-dev/ark (crates/ark_test/src/dummy_frontend.rs).
 */
import type { Json, Message } from "../../kernel/jupyter/messages.ts";

/** Long enough for a machine that does ten other things. */
const DEADLINE_MS = 60_000;

/** The word by which a test names a message of iopub: a state, a stream's name, or the type. */
export function kindOf({ header, content }: Message): string {
  if (header.msg_type === "status") return String(content.execution_state);
  return header.msg_type === "stream" ? String(content.name) : header.msg_type;
}

/** Messages of one channel in the order in which they came. */
export class Inbox {
  readonly #messages: Message[] = [];
  readonly #what: string;
  /** How many messages have come. */
  count = 0;
  #wake: () => void = () => {};

  constructor(what: string) {
    this.#what = what;
  }

  add(message: Message): void {
    this.count++;
    this.#messages.push(message);
    this.#wake();
  }

  /** The next message, which stays; waits for it. */
  async peek(wanted: string): Promise<Message> {
    if (this.#messages.length === 0) await this.#more(wanted);
    return this.#messages[0]!;
  }

  /** Waits until a message of this kind has come, whatever has come before. */
  async until(kind: string): Promise<void> {
    let seen = 0;
    while (!this.#messages.slice(seen).some((each) => kindOf(each) === kind)) {
      seen = this.#messages.length;
      await this.#more(kind);
    }
  }

  /** All that has come and was not taken. */
  takeAll(): Message[] {
    return this.#messages.splice(0);
  }

  /** The next message, which must be of this kind. Stream messages of one name that follow one another are one. */
  async take(kind: string): Promise<Message> {
    const message = await this.peek(kind);
    if (kindOf(message) !== kind) {
      const found = `${kindOf(message)} ${JSON.stringify(message.content).slice(0, 1000)}`;
      throw new Error(`expected ${kind} on ${this.#what}, got ${found}`);
    }
    this.#messages.shift();
    if (message.header.msg_type !== "stream") return message;
    const texts = [message.content.text];
    while (kindOf(await this.peek("what follows a stream")) === kind) texts.push(this.#messages.shift()!.content.text);
    return { ...message, content: { ...message.content, text: texts.join("") } };
  }

  /** Takes stream messages until their text is this, and no other; what comes later is not waited for. */
  async print(name: string, expected: string): Promise<void> {
    let text = "";
    while (text !== expected) {
      const message = await this.peek(`${name} ${expected}`);
      text += message.content.text;
      if (kindOf(message) !== name || !expected.startsWith(text)) {
        const found = `${kindOf(message)} ${JSON.stringify(message.content).slice(0, 1000)}`;
        throw new Error(`expected ${name} ${JSON.stringify(expected)} on ${this.#what}, got ${found}`);
      }
      this.#messages.shift();
    }
  }

  async #more(wanted: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => reject(new Error(`waited in vain for ${wanted} on ${this.#what}`)), DEADLINE_MS);
    });
    clearTimeout(timer);
  }

  /** What no one has taken. */
  rest(): string[] {
    return this.takeAll().map(
      (each) => `${this.#what}: ${kindOf(each)} ${JSON.stringify(each.content).slice(0, 1000)}`,
    );
  }
}

export interface Ran {
  /** The reply's content. */
  reply: Json;
  /** The messages that were named, from busy to idle. */
  published: Message[];
  /** Their contents. */
  contents: Json[];
}

/** One request, and all that answers it. */
export class Exchange {
  readonly id: string;
  readonly published: Inbox;
  readonly replies: Inbox;
  readonly questions: Inbox;
  readonly #request: Message;

  constructor(request: Message) {
    this.#request = request;
    this.id = String(request.header.msg_id);
    const what = `${request.header.msg_type} ${JSON.stringify(request.content.code ?? "").slice(0, 200)}`;
    this.published = new Inbox(`iopub, for ${what}`);
    this.replies = new Inbox(`the request's channel, for ${what}`);
    this.questions = new Inbox(`stdin, for ${what}`);
  }

  get header(): Message["header"] {
    return this.#request.header;
  }

  /** Exactly these messages of iopub next. */
  async take(...kinds: string[]): Promise<Message[]> {
    const taken: Message[] = [];
    for (const kind of kinds) taken.push(await this.published.take(kind));
    return taken;
  }

  /** All messages that come next and are of these kinds, where their number is left open. */
  async several(...kinds: string[]): Promise<Message[]> {
    const taken: Message[] = [];
    for (;;) {
      const kind = kindOf(await this.published.peek(kinds.join(" or ")));
      if (!kinds.includes(kind)) return taken;
      taken.push(await this.published.take(kind));
    }
  }

  /** Busy and, of a cell, its input: it runs now. */
  async starts(): Promise<void> {
    await this.take("busy", ...(this.#isLoudCell() ? ["execute_input"] : []));
  }

  prints(text: string, name = "stdout"): Promise<void> {
    return this.published.print(name, text);
  }

  async reply(): Promise<Message> {
    const { header } = this.#request;
    return this.replies.take(header.msg_type.replace(/_request$/, "_reply"));
  }

  question(): Promise<Message> {
    return this.questions.take("input_request");
  }

  /** To its end from its start: exactly these messages between its input and idle, and one reply. */
  async done(...kinds: string[]): Promise<Ran> {
    await this.starts();
    return this.ends(...kinds);
  }

  /** To its end, when it has started. Comm messages have no reply. */
  async ends(...kinds: string[]): Promise<Ran> {
    const published = await this.take(...kinds, "idle");
    published.pop();
    const hasReply = this.#request.header.msg_type.endsWith("_request");
    const reply = hasReply ? (await this.reply()).content : {};
    return { reply, published, contents: published.map(({ content }) => content) };
  }

  /** What no one has taken. */
  rest(): string[] {
    return [this.published, this.replies, this.questions].flatMap((inbox) => inbox.rest());
  }

  #isLoudCell(): boolean {
    const { header, content } = this.#request;
    return header.msg_type === "execute_request" && content.silent !== true;
  }
}
