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
    throw new UserError(`Invalid --types "${types}" (expected error, warn or off).`);
  const { folder, papermill, jupyter, lacking } = kernelspec.install(placeOf(options), types);
  console.log(`Installed ${kernelspec.DISPLAY_NAME} in ${folder}`);
  console.log(jupyter ? `Jupyter runs on ${jupyter}` : "No Jupyter was found there: `halftone lab` brings one");
  if (papermill) console.log(`papermill can pass parameters to TypeScript notebooks (plugin in ${papermill})`);
  else
    console.log("No writable Python environment found there: papermill cannot pass parameters to TypeScript notebooks");
  if (lacking) {
    const { packages, bringing: command } = lacking;
    const fallbacks = { plotly: "figures are shown as still images", ipywidgets: "widgets are shown as text" };
    const effects = packages.map((name) => fallbacks[name]);
    console.log(
      `The Jupyter there lacks ${packages.join(" and ")}: ${effects.join(", ")}. Run this, then \`halftone install\` again:\n  ${command}`,
    );
  }
}

export function uninstall(options: PlaceOptions): void {
  const folder = kernelspec.uninstall(placeOf(options));
  console.log(
    folder ? `Removed ${folder}` : "Nothing to remove there. `halftone list` shows where the kernel is installed.",
  );
}

export function list(): void {
  const found = kernelspec.list();
  if (found.length === 0) console.log("Not installed. `halftone install` registers the kernel with Jupyter.");
  for (const [index, { displayName, folder, problem }] of found.entries()) {
    const state = problem ?? (index === 0 ? "used by Jupyter" : "shadowed by the first");
    console.log(`${displayName}  ${folder}  (${state})`);
  }
}

function placeOf({ sysPrefix, prefix }: PlaceOptions): InstallTarget {
  if (sysPrefix && prefix !== undefined)
    throw new UserError("--sys-prefix and --prefix cannot be combined: give only one of them.");
  // A shell expands an unset variable to an empty text.
  if (prefix === "") throw new UserError("--prefix needs a folder, got an empty text.");
  if (prefix !== undefined) return { kind: "prefix", folder: prefix };
  return { kind: sysPrefix ? "sys-prefix" : "user" };
}
