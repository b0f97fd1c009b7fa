import { readFileSync, statSync } from "node:fs";
import * as v from "valibot";
import type { SavedCells } from "../check/order/dependencies.ts";

const schema = v.object({
  cells: v.array(
    v.object({
      cell_type: v.string(),
      id: v.optional(v.string()),
      source: v.union([v.string(), v.array(v.string())]),
    }),
  ),
});

/** The code cells of the notebook's file as it was last saved. Jupyter Server names the file; without it there are none. */
export function savedCells({ JPY_SESSION_NAME: file }: NodeJS.ProcessEnv): SavedCells | undefined {
  if (!file?.endsWith(".ipynb")) return undefined;
  try {
    const { mtimeMs } = statSync(file);
    const { cells } = v.parse(schema, JSON.parse(readFileSync(file, "utf8")));
    const saved = cells.flatMap(({ cell_type, id, source }) =>
      cell_type === "code" && id !== undefined
        ? [{ key: id, source: typeof source === "string" ? source : source.join("") }]
        : [],
    );
    return { cells: saved, at: mtimeMs };
  } catch {
    return undefined;
  }
}
