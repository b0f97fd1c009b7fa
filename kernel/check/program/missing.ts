import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ServerDiagnostic } from "../server/protocol.ts";

const moduleNotFound = new Set([2307, 2792, 7016]);

/** Specifiers that the server did not find. */
export function missingModules(items: readonly ServerDiagnostic[]): string[] {
  return items.flatMap(({ code, message }) => {
    const specifier = moduleNotFound.has(code ?? 0) ? /module '([^']+)'/.exec(message)?.[1] : undefined;
    return specifier === undefined ? [] : [specifier];
  });
}

/** Files that now exist and may be the missing modules. The server caches failed lookups, so it must be told of them. */
export function candidates(cwd: string, specifiers: readonly string[]): string[] {
  const found: string[] = [];
  for (const specifier of specifiers) {
    if (/^\.{0,2}\//.test(specifier)) {
      const path = resolve(cwd, specifier);
      const stem = path.replace(/\.[cm]?js$/, "");
      for (const each of [path, ...[".ts", ".tsx", ".d.ts", ".js", ".mts", ".json"].map((end) => stem + end)])
        if (existsSync(each)) found.push(each);
      continue;
    }
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    for (let folder = cwd; ; folder = dirname(folder)) {
      for (const each of [name, `@types/${name.replace(/^@(.*)\//, "$1__")}`]) {
        const manifest = join(folder, "node_modules", each, "package.json");
        if (existsSync(manifest)) found.push(manifest);
      }
      if (dirname(folder) === folder) break;
    }
  }
  return found;
}
