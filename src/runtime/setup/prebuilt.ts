import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { require } from "../tfjs/modules.ts";

/** prebuilt.json of a package with compiled addons: for each the hash of the sources that it was made of, and its own. */
const prebuiltSchema = v.record(v.string(), v.object({ sources: v.string(), sha256: v.string() }));
export type Prebuilt = v.InferOutput<typeof prebuiltSchema>;

/** The name of this machine in `@halftone/native-<platform>`. */
export const platformName = (): string => `${process.platform}-${process.arch}`;

export const prebuiltName = (addon: string): string => `${addon.replaceAll(" ", "-")}.node`;

/** A hash over the sources of an addon, the same on every machine. */
export function sourcesHash(sources: readonly string[]): string {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(path.basename(source)).update(readFileSync(source));
  return hash.digest("hex");
}

/**
 * The compiled addon of a package for this platform; undefined where there is no such package, or the addon in it was made of other sources or is
 * damaged.
 */
export function prebuiltFile(addon: string, sources: readonly string[]): string | undefined {
  try {
    const list = require.resolve(`@halftone/native-${platformName()}/prebuilt.json`);
    const made = v.parse(prebuiltSchema, JSON.parse(readFileSync(list, "utf8")))[addon];
    const file = path.join(path.dirname(list), prebuiltName(addon));
    if (!made || made.sources !== sourcesHash(sources) || !existsSync(file)) return undefined;
    return createHash("sha256").update(readFileSync(file)).digest("hex") === made.sha256 ? file : undefined;
  } catch {
    return undefined;
  }
}
