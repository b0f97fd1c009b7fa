import { isTypeErrorPolicy } from "../../kernel/check/report/policy.ts";
import type { InstallTarget } from "../../kernel/kernelspec/folders.ts";
import * as kernelspec from "../../kernel/kernelspec/kernelspec.ts";
import { UserError } from "../base/user-error.ts";

export interface PlaceOptions {
  sysPrefix?: boolean;
  prefix?: string;
}

export function install({ types, ...options }: PlaceOptions & { types?: string }): void {
  if (types !== undefined && !isTypeErrorPolicy(types))
    throw new UserError(`--types takes error, warn or off, got ${types}.`);
  const { folder, papermill, lacking } = kernelspec.install(placeOf(options), types);
  console.log(`Installed ${kernelspec.DISPLAY_NAME} in ${folder}`);
  if (papermill) console.log(`papermill can give parameters to TypeScript notebooks, by ${papermill}`);
  else
    console.log("No Python found there that could be written to: papermill will refuse to give TypeScript parameters");
  if (lacking) {
    const { packages, bringing } = lacking;
    const without = { plotly: "figures are shown as still images", ipywidgets: "widgets are shown as text" };
    const effects = packages.map((name) => without[name]);
    console.log(
      `The Jupyter there lacks ${packages.join(" and ")}: ${effects.join(", ")}. Run this, then \`halftone install\` again:\n  ${bringing}`,
    );
  }
}

export function uninstall(options: PlaceOptions): void {
  const folder = kernelspec.uninstall(placeOf(options));
  console.log(
    folder ? `Removed ${folder}` : "Nothing to remove there. `halftone list` says where the kernel is installed.",
  );
}

export function list(): void {
  const found = kernelspec.list();
  if (found.length === 0) console.log("Not installed. `halftone install` makes it known to Jupyter.");
  for (const [index, { displayName, folder, problem }] of found.entries()) {
    const state = problem ?? (index === 0 ? "Jupyter starts this one" : "hidden by the first");
    console.log(`${displayName}  ${folder}  (${state})`);
  }
}

function placeOf({ sysPrefix, prefix }: PlaceOptions): InstallTarget {
  if (sysPrefix && prefix !== undefined)
    throw new UserError("One place is enough: give --sys-prefix or --prefix, not both.");
  // What a shell makes of a variable that is not set.
  if (prefix === "") throw new UserError("--prefix needs a folder; it was given an empty text.");
  if (prefix !== undefined) return { kind: "prefix", folder: prefix };
  return { kind: sysPrefix ? "sys-prefix" : "user" };
}
