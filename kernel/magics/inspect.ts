import type { Introspector } from "../protocol/inspection.ts";
import { magics } from "./names.ts";

/** Completes and explains magics at the start of a line. */
export const magicIntrospector: Introspector = {
  async complete(code, cursor) {
    const prefix = /(?:^|\n)[ \t]*(%%?\w*)$/.exec(code.slice(0, cursor))?.[1];
    if (prefix === undefined) return undefined;
    const names = magics.map(({ name }) => name).filter((name) => name.startsWith(prefix));
    return { start: cursor - prefix.length, end: cursor, items: names.map((text) => ({ text, kind: "magic" })) };
  },

  async inspect(code, cursor) {
    const start = code.lastIndexOf("\n", cursor - 1) + 1;
    const name = /^[ \t]*(%%?\w+|!)/.exec(code.slice(start))?.[1];
    const found = magics.find((magic) => magic.name === name);
    if (!found || cursor - start > code.slice(start).indexOf(found.name) + found.name.length) return undefined;
    return {
      "text/plain": `${found.usage}\n${found.what}`,
      "text/markdown": `\`${found.usage}\`\n\n${found.what}`,
    };
  },
};
