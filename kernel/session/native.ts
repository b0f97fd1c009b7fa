import { StringDecoder } from "node:string_decoder";

/**
 * Output of native code and child processes on fd 1 or 2 of the host, split at the marks that the host wrote in between.
 * Each piece comes with the number of the mark that it follows.
 */
export class NativeOutput {
  readonly #start: string;
  readonly #decoder = new StringDecoder("utf8");
  readonly #emit: (text: string, marker: number) => void;
  #unread = "";
  /** The number of the last mark read. */
  reached = 0;

  constructor(token: string, emit: (text: string, marker: number) => void) {
    this.#start = `\u0000${token}`;
    this.#emit = emit;
  }

  read(chunk: Buffer): void {
    let text = this.#unread + this.#decoder.write(chunk);
    this.#unread = "";
    for (;;) {
      const at = text.indexOf("\u0000");
      if (at === -1) break;
      const candidate = text.slice(at);
      const end = candidate.indexOf("\u0000", 1);
      if (candidate.startsWith(this.#start) && end !== -1) {
        this.#say(text.slice(0, at));
        this.reached = Number(candidate.slice(this.#start.length, end));
        text = candidate.slice(end + 1);
      } else if (this.#start.startsWith(candidate) || (candidate.startsWith(this.#start) && end === -1)) {
        this.#say(text.slice(0, at));
        this.#unread = candidate;
        return;
      } else {
        this.#say(text.slice(0, at + 1));
        text = candidate.slice(1);
      }
    }
    this.#say(text);
  }

  /** The output has ended: nothing waits for a mark any longer. */
  end(): void {
    const rest = this.#unread + this.#decoder.end();
    this.#unread = "";
    this.#say(rest);
    this.reached = Number.POSITIVE_INFINITY;
  }

  #say(text: string): void {
    if (text !== "") this.#emit(text, this.reached);
  }
}
