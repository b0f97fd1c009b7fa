import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Completions } from "../../protocol/inspection.ts";

/** Completes file paths inside a string that has no other completions. */
export function pathCompletions(cwd: string, text: string, cursor: number): Completions | undefined {
  const line = text.slice(text.lastIndexOf("\n", cursor - 1) + 1, cursor);
  const partialPath = openString(line);
  if (partialPath === undefined || partialPath.includes("\\")) return undefined;
  return filesFor(cwd, partialPath, cursor);
}

/** Files whose path begins with `typed`; `start` is the offset of the path's last part. */
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

/** The content of a string that is not closed at the line's end. */
export function openString(line: string): string | undefined {
  let start: number | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (start === undefined) {
      if (!/["'`]/.test(character)) continue;
      start = at + 1;
      quote = character;
    } else if (character === "\\") at++;
    else if (character === quote) start = undefined;
  }
  return start === undefined ? undefined : line.slice(start);
}
