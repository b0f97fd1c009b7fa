import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Completions } from "../session/introspection.ts";

/** Paths of files for a cursor inside a string that nothing better is known about. */
export function pathCompletions(cwd: string, text: string, cursor: number): Completions | undefined {
  const line = text.slice(text.lastIndexOf("\n", cursor - 1) + 1, cursor);
  const open = /(["'`])((?:(?!\1)[^\\])*)$/.exec(withoutStrings(line));
  if (!open) return undefined;
  const typed = line.slice(line.length - open[2]!.length);
  return filesFor(cwd, typed, cursor);
}

/** Files whose path begins with what is typed; `start` is where their last part does. */
export function filesFor(cwd: string, typed: string, cursor: number): Completions | undefined {
  const cut = typed.lastIndexOf("/") + 1;
  const folder = typed.slice(0, cut);
  const prefix = typed.slice(cut);
  const at = folder.startsWith("~/") ? join(homedir(), folder.slice(2)) : resolve(cwd, folder);
  let names: string[];
  try {
    names = readdirSync(at);
  } catch {
    return undefined;
  }
  const items = names
    .filter((name) => name.startsWith(prefix) && (prefix.startsWith(".") || !name.startsWith(".")))
    .map((name) => {
      const isFolder = statSync(join(at, name), { throwIfNoEntry: false })?.isDirectory() ?? false;
      return { text: isFolder ? `${name}/` : name, kind: isFolder ? "folder" : "file" };
    });
  if (items.length === 0) return undefined;
  return { start: cursor - prefix.length, end: cursor, items: items.sort((a, b) => (a.text < b.text ? -1 : 1)) };
}

/** Strings that are closed, blanked: what stays open is where the cursor is. */
function withoutStrings(line: string): string {
  return line.replace(/(["'`])(?:\\.|(?!\1)[^\\])*\1/g, (closed) => " ".repeat(closed.length));
}
