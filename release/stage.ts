import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { copiedFiles, inlinePackages, keptBinaries, licenceOf } from "./contents.ts";
import { filesUnder } from "./files.ts";
import { copiedManifest, entryPoints, packageManifest, readManifest } from "./manifest.ts";

/**
 * Declarations are checked when Halftone is built. With this line the compiler of a user who has `skipLibCheck` off does not check them again, nor
 * those of tfjs, which have errors of their own.
 */
const unchecked = "// @ts-nocheck\n";

/** TypeScript before 5.2 has no library `esnext.disposable`. Later ones merge these with their own. */
const disposable = `interface SymbolConstructor {
  readonly dispose: unique symbol;
  readonly asyncDispose: unique symbol;
}
interface Disposable {
  [Symbol.dispose](): void;
}
interface AsyncDisposable {
  [Symbol.asyncDispose](): PromiseLike<void>;
}
`;

/** A declaration as it is in the package: without references to libraries and packages that a user's compiler may lack. */
const declaration = (text: string): string =>
  unchecked +
  withoutMap(text)
    .replace(/^\/\/\/ <reference types=.*\n/gm, "")
    .replace(/^\/\/\/ <reference lib="esnext.disposable".*$/m, '/// <reference path="./disposable.d.ts" />');

/** Writes the contents of the package into `to`, from a checkout that is built. `platforms`: those whose native packages belong to it. */
export async function stage(root: string, to: string, platforms: readonly string[] = []): Promise<void> {
  rmSync(to, { recursive: true, force: true });
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(to, file)), { recursive: true });
    writeFileSync(path.join(to, file), text);
  };
  const copy = (file: string) => {
    const copied = placeOf(file);
    // Node's types are for Halftone's own compiler.
    if (/^node_modules\/(@types\/node|undici-types)\//.test(file)) cpSync(path.join(root, file), path.join(to, copied));
    else if (file.endsWith(".d.ts")) write(copied, declaration(readFileSync(path.join(root, file), "utf8")));
    else if (file.endsWith(".js")) write(copied, withoutMap(readFileSync(path.join(root, file), "utf8")));
    else cpSync(path.join(root, file), path.join(to, copied));
  };
  // The sources that are not compiled: C++, Python, pictures, styles.
  for (const file of [
    ...filesUnder(root, "src", /\.(cc|h|css|py)$/),
    ...filesUnder(root, "kernel", /\.(svg|png|py|txt)$/),
    ...filesUnder(root, "dist/src", /\.(js|d\.ts)$/),
    ...filesUnder(root, "dist/kernel", /\.js$/),
  ])
    copy(file);
  // The guides, from which `name?` has its examples.
  for (const file of filesUnder(root, "docs", /^docs\/[^/]+\.md$/)) copy(file);
  for (const file of ["README.md", "LICENSE", "environment.md"]) copy(file);
  for (const entry of entryPoints(readManifest(root))) {
    const name = path.basename(entry);
    const refusal = path.posix.relative(path.posix.dirname(entry), "./dist/src/base/plug-n-play.js");
    const first = refusal.startsWith(".") ? refusal : `./${refusal}`;
    // Before the module's own imports, which Plug'n'Play cannot resolve for `require`.
    write(`${entry}.cjs`, `require("${first}").refusePlugNPlay();\nmodule.exports = require("./${name}.js");\n`);
    write(`${entry}.d.cts`, `${unchecked}export * from "./${name}.js";\n`);
  }
  write("dist/src/disposable.d.ts", unchecked + disposable);
  const { files, dependencies } = await copiedFiles(root);
  for (const file of files) {
    const text = () => readFileSync(path.join(root, file), "utf8");
    if (/^node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file)) write(placeOf(file), copiedManifest(text()));
    else if (file === "node_modules/zeromq/build/manifest.json") write(placeOf(file), keptBinaries(text(), files));
    else copy(file);
  }
  const licences = (await inlinePackages(root, to)).map((folder) => licenceOf(root, folder));
  write("THIRD-PARTY-LICENSES.txt", [copiesNotice, ...licences].join(`\n${"=".repeat(80)}\n\n`));
  write("package.json", `${JSON.stringify(packageManifest(root, dependencies, platforms), null, 2)}\n`);
}

/** npm packs no `node_modules` at the head of a package, and Node finds one in `dist` from the files there. */
const placeOf = (file: string): string => (file.startsWith("node_modules/") ? `dist/${file}` : file);

/** The maps are not in the package. */
const withoutMap = (text: string): string => text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");

const copiesNotice = `The folder dist/node_modules has parts of tfjs (Apache-2.0, as this package), zeromq (MIT, its library MPL-2.0), cmake-ts and esbuild (MIT),
and types of Node, undici and plotly.js (MIT). Changed in them: package.json without scripts and dependencies, a line "@ts-nocheck" at the head of declarations, no
source maps, and the list of zeromq's binaries. The licences below are those of packages compiled into files of dist.
`;
