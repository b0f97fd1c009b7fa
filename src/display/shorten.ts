/** UTF-16 units. */
const longestText = 50_000;
// The kernel's host shows values with this too, when a cell may have replaced the methods of strings.
const slice: (text: string, from: number, to: number) => string = Function.prototype.call.bind(String.prototype.slice);
const lastIndexOf: (text: string, search: string) => number = Function.prototype.call.bind(
  String.prototype.lastIndexOf,
);

/**
 * The beginning of a value's long text, up to the end of a line where there is one, and how much is left out. Node's
 * `inspect` cuts arrays, Maps, Sets and strings short by itself, but neither objects nor what a class says of itself.
 */
export function shorten(text: string): string {
  if (text.length <= longestText) return text;
  const start = slice(text, 0, longestText);
  const line = lastIndexOf(start, "\n");
  const shown = line > longestText / 2 ? slice(start, 0, line) : start;
  return `${shown}\n... ${text.length - shown.length} more characters`;
}
