/**
 * What a file is that stands where another was meant to be downloaded, to end a message with; empty for any other. `start`: its first
 * bytes or characters.
 */
export function standIn(start: string | Uint8Array): string {
  const text = typeof start === "string" ? start : Buffer.from(start).toString("latin1");
  if (text.startsWith("version https://git-lfs"))
    return ": it is a pointer of Git LFS, and not the file itself; `git lfs pull` in its repository gets the file";
  if (/^\s*<(!doctype|html)/i.test(text)) return ": it is a web page, and not the file; download it again";
  return "";
}
