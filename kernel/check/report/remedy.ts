import { installHint, networkSentence } from "../../compile/install-hint.ts";
import { importLine, libraryExports } from "../../magics/library-exports.ts";
import { kernelSubpaths } from "../program/packages.ts";
import type { TypeProblem } from "./problem.ts";

const notFound = /^Cannot find (?:(?:name|namespace) '([^']+)'|module '((?:@[^/']+\/)?[^./:'][^/:']*)[/'])/;

const fromNetwork = /^Cannot find module (?:or type declarations for side-effect import of )?'(https?:[^']*)'/;
const exec = (pattern: RegExp, text: string) => pattern.exec(text);

/**
 * Adds what to do, where it is one line: import a name that the library exports, install a package that is not there, or
 * run the cell that declares the name. `whyUndefined` gives that cell.
 */
export function suggestRemedy(problem: TypeProblem, whyUndefined: (name: string) => string | undefined): void {
  const { message, reasons } = problem;
  const url = fromNetwork.exec(message)?.[1];
  if (url !== undefined) problem.message = networkSentence(url, exec);
  const [, name, packageName] = notFound.exec(message) ?? [];
  if (packageName === "halftone") reasons.unshift(`halftone has the modules ${kernelSubpaths().join(", ")}`);
  else if (packageName !== undefined) reasons.unshift(installHint(packageName, exec));
  if (name === undefined) return;
  const reason = whyUndefined(name);
  const kind = libraryExports().get(name);
  if (reason !== undefined) reasons.unshift(reason);
  else if (kind !== undefined) reasons.unshift(`halftone exports it: ${importLine(name, kind)} (or %import ${name})`);
}
