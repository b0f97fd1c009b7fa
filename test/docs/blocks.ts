import { readFileSync } from "node:fs";

export interface Block {
  /** The words after the fence: `ts`, `ts refused`, `ts tslab`. */
  info: string;
  code: string;
  /** The text block that stands right after it: what it says. */
  says?: string;
}

/** The TypeScript in a Markdown file, in order. */
export function codeBlocks(file: string): Block[] {
  const block = /^```(ts[^\n]*)\n([\s\S]*?)^```$(?:\s+^```text\n([\s\S]*?)^```$)?/gm;
  return [...readFileSync(file, "utf8").matchAll(block)].map(([, info, code, says]) => ({
    info: info!,
    code: code!.trimEnd(),
    ...(says === undefined ? {} : { says: says.trimEnd() }),
  }));
}
