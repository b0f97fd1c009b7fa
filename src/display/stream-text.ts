/**
 * A stream's text as a terminal would show it: `\b` removes a character, `\r` returns to the start of the line so that the following
 * text overwrites it, and `CSI K` erases the line. A progress bar thus leaves only its last state.
 */
export class StreamText {
  #finished = "";
  #line = "";

  /** Appends `piece` and returns the whole text. */
  append(piece: string): string {
    const lines = (this.#line + piece).replaceAll("\r\n", "\n").split("\n");
    const last = lines.pop()!;
    for (const line of lines) this.#finished += `${settle(line)}\n`;
    // An unfinished line keeps its final `\r`, because the next piece may overwrite the line.
    this.#line = settle(last) + (last.endsWith("\r") ? "\r" : "");
    return this.#finished + this.#line;
  }
}

const ESCAPE = "\u001b[";
const ERASE = new RegExp(`${ESCAPE.replace("[", "\\[")}[012]?K`, "g");

function settle(line: string): string {
  if (!line.includes("\r") && !line.includes("\b") && !line.includes(ESCAPE)) return line;
  let shown = "";
  for (const part of line.replace(/\r+$/, "").split("\r")) {
    const written = stepBack(part.replaceAll(ERASE, ""));
    // With colour sequences, columns cannot be counted, so the new text replaces the whole line.
    const whole = part.includes(ESCAPE) || shown.includes(ESCAPE);
    shown = whole ? written : written + shown.slice(written.length);
  }
  return shown;
}

function stepBack(text: string): string {
  if (!text.includes("\b")) return text;
  const shown: string[] = [];
  for (const letter of text) {
    if (letter === "\b") shown.pop();
    else shown.push(letter);
  }
  return shown.join("");
}
