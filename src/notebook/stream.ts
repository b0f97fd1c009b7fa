/**
 * A stream's text as a terminal would show it: `\b` steps back, `\r` returns to the line's start and what follows
 * overwrites, the sequences that erase a line (`CSI K`) erase it. So a progress bar leaves its last state.
 */
export class StreamText {
  #finished = "";
  #line = "";

  /** Adds `piece` and gives the whole text. */
  append(piece: string): string {
    const lines = (this.#line + piece).replaceAll("\r\n", "\n").split("\n");
    const last = lines.pop()!;
    for (const line of lines) this.#finished += `${settle(line)}\n`;
    // A line still being written keeps its final return: what comes next may overwrite it.
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
    // Colours make columns uncountable: then the new text stands for the whole line.
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
