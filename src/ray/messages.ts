import * as v from "valibot";

/** Characters of bytes in base64, from character `at` on, as cluster.py sends them. */
export const partMessage = v.object({ kind: v.literal("part"), id: v.string(), at: v.number(), data: v.string() });

const MARK = "@@halftone ";

/**
 * Finds the message in a line of a job's log; undefined for a line that something else printed, or that was cut when the driver was killed.
 */
export const messageParser =
  <Schema extends v.GenericSchema>(schema: Schema) =>
  (line: string): v.InferOutput<Schema> | undefined => {
    if (!line.startsWith(MARK)) return undefined;
    try {
      const parsed = v.safeParse(schema, JSON.parse(line.slice(MARK.length)));
      return parsed.success ? parsed.output : undefined;
    } catch {
      return undefined;
    }
  };

/** Joins the parts in which bytes come. */
export class Parts {
  readonly #received = new Map<string, string>();

  add({ id, at, data }: v.InferOutput<typeof partMessage>): void {
    const before = at === 0 ? "" : (this.#received.get(id) ?? "");
    if (before.length === at) this.#received.set(id, before + data);
  }

  /** The bytes of `size` characters that came under this name; undefined if they are not all there. */
  take(id: string, size: number): Buffer | undefined {
    const data = this.#received.get(id) ?? "";
    this.#received.delete(id);
    return data.length === size ? Buffer.from(data, "base64") : undefined;
  }
}
