import type { Completions } from "../../protocol/inspection.ts";
import { filesFor } from "./files.ts";

/** Completion of a magic's arguments. */
export function magicCompletions(cwd: string, code: string, cursor: number): Completions | undefined {
  const line = code.slice(code.lastIndexOf("\n", cursor - 1) + 1, cursor);
  const types = /^[ \t]*%types[ \t]+([a-z]*)$/.exec(line)?.[1];
  if (types !== undefined) {
    const items = ["error", "warn", "off"].filter((each) => each.startsWith(types));
    return { start: cursor - types.length, end: cursor, items: items.map((text) => ({ text, kind: "keyword" })) };
  }
  const path = /^[ \t]*(?:!.*?[ \t]|%cd[ \t]+|%%writefile[ \t]+(?:-a[ \t]+)?)([^ \t]*)$/.exec(line)?.[1];
  return path === undefined ? undefined : (filesFor(cwd, path, cursor) ?? { start: cursor, end: cursor, items: [] });
}
