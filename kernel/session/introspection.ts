import { isInLongWord, windowAt } from "../compile/words.ts";
import type { Completions, Introspector } from "../protocol/inspection.ts";
import type { MimeBundle } from "../protocol/output.ts";

/** Asks introspectors in order what a name means; the first answer counts. */
export class Introspection {
  readonly introspectors: readonly Introspector[];

  constructor(introspectors: readonly Introspector[]) {
    this.introspectors = introspectors;
  }

  async complete(code: string, at: number): Promise<Completions> {
    const { text, cursor, offset } = windowAt(code, at);
    if (isInLongWord(text, cursor)) return { start: at, end: at, items: [] };
    for (const introspector of this.introspectors) {
      const found = await introspector.complete(text, cursor);
      if (found) return { ...found, start: found.start + offset, end: found.end + offset };
    }
    return { start: at, end: at, items: [] };
  }

  async inspect(code: string, at: number, detail: 0 | 1): Promise<MimeBundle | undefined> {
    const { text, cursor } = windowAt(code, at);
    for (const introspector of this.introspectors) {
      const found = await introspector.inspect(text, cursor, detail);
      if (found) return found;
    }
    return undefined;
  }

  /** The page for `name?`. */
  async help({ name, detail }: { name: string; detail: 0 | 1 }): Promise<MimeBundle> {
    const page = await this.inspect(name, name.length, detail);
    return page ?? { "text/plain": `No documentation found for \`${name}\`.` };
  }
}
