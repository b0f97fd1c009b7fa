import { installHint } from "../../compile/install-hint.ts";
import { importLine, kernelExports, kernelSubpaths } from "../program/packages.ts";
import type { TypeProblem } from "./problem.ts";

const notFound = /^Cannot find (?:(?:name|namespace) '([^']+)'|module '((?:@[^/']+\/)?[^./:'][^/:']*)[/'])/;

/**
 * Adds what to do, where it is one line: import a name that the library exports, install a package that is not there, or
 * run the cell that declares the name. `whyUndefined` gives that cell.
 */
export function suggestRemedy(
  { message, reasons }: TypeProblem,
  whyUndefined: (name: string) => string | undefined,
): void {
  const [, name, packageName] = notFound.exec(message) ?? [];
  if (packageName === "halftone") reasons.unshift(`halftone has the modules ${kernelSubpaths().join(", ")}`);
  else if (packageName !== undefined) reasons.unshift(`install it beside the notebook: ${installHint(packageName)}`);
  if (name === undefined) return;
  const reason = whyUndefined(name);
  const kind = kernelExports().get(name);
  if (reason !== undefined) reasons.unshift(reason);
  else if (kind !== undefined) reasons.unshift(`halftone exports it: ${importLine(name, kind)}`);
}
