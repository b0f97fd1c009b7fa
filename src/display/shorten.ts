/** UTF-16 units. */
const longestText = 50_000;
// The kernel's host uses this too, where a cell may have replaced the methods of strings.
const slice: (text: string, from: number, to: number) => string = Function.prototype.call.bind(String.prototype.slice);
const lastIndexOf: (text: string, search: string) => number = Function.prototype.call.bind(
  String.prototype.lastIndexOf,
);

/**
 * The beginning of a long text, cut at the end of a line where possible, with the number of characters left out. Node's
 * `inspect` shortens arrays, Maps, Sets and strings, but neither objects nor a class's own representation.
 */
export function shorten(text: string): string {
  if (text.length <= longestText) return text;
  const start = slice(text, 0, longestText);
  const line = lastIndexOf(start, "\n");
  const shown = line > longestText / 2 ? slice(start, 0, line) : start;
  return `${shown}\n... ${text.length - shown.length} more characters`;
}
