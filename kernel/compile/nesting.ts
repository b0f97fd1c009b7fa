/**
 * The parser and the functions that walk its trees recurse once for each level of nesting. When the parser runs out of stack
 * (at 6,000 parentheses), the process ends. So the nesting of a text is estimated before it is parsed, by counting open
 * brackets and operators whose operand may be everything that follows.
 */
const mostLevels = 1000;
const mostOperators = 2000;
export const tooManyLevels = `the code is nested more than ${mostLevels} levels deep: move parts of it to variables`;

/** Why text is nested too deeply to be parsed; undefined when it may be parsed. */
export function nestedTooDeeply(text: string): { message: string; offset: number } | undefined {
  // Each level needs at least one character.
  if (text.length <= mostLevels) return undefined;
  let depth = 0;
  let operators = 0;
  /** Depths at which a template literal continues after its `${` is closed. */
  const templates: number[] = [];
  const at = (offset: number) => ({
    message: tooManyLevels,
    offset,
  });
  let index = 0;
  const skipText = (quote: number): void => {
    for (index++; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code === 92) index++;
      else if (code === quote || (code === 10 && quote !== 96)) return;
      else if (quote === 96 && code === 36 && text.charCodeAt(index + 1) === 123) {
        index++;
        templates.push(depth++);
        return;
      }
    }
  };
  /** The last character that is not a blank. */
  let last = 0;
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (depth > mostLevels || operators > mostOperators) return at(index);
    switch (code) {
      case 34: // "
      case 39: // '
        skipText(code);
        break;
      case 96: // `
        skipText(96);
        break;
      case 40: // (
      case 91: // [
      case 123: // {
        depth++;
        operators = 0;
        break;
      case 125: // }
        if (depth > 0) depth--;
        operators = 0;
        if (templates.at(-1) === depth) {
          templates.pop();
          skipText(96);
        }
        break;
      case 41: // )
      case 93: // ]
        if (depth > 0) depth--;
        break;
      case 44: // ,
      case 59: // ;
        operators = 0;
        break;
      case 47: // /
        if (text.charCodeAt(index + 1) === 47) index = endOr(text, text.indexOf("\n", index));
        else if (text.charCodeAt(index + 1) === 42) index = endOr(text, text.indexOf("*/", index + 2) + 1);
        break;
      case 60: // <
        operators += text.charCodeAt(index + 1) === 47 ? -1 : 1;
        break;
      case 61: // =
      case 63: // ?
        operators++;
        break;
      case 33: // !
      case 43: // +
      case 45: // -
      case 126: // ~
        if (text.charCodeAt(index - 1) === code) operators++;
        break;
      case 10:
        // A bracket that is open at the end of a line continues in the next line.
        if (!open.has(last)) operators = 0;
        break;
    }
    if (code > 32) last = code;
  }
  return undefined;
}

/** Characters after which an expression continues: = ? : < > */
const open = new Set([61, 63, 58, 60, 62]);

function endOr(text: string, found: number): number {
  return found <= 0 ? text.length : found;
}
