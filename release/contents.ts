// What the package holds of other packages, found by following imports from the files that Halftone uses.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import { filesUnder } from "./files.ts";

/**
 * Copied into the package's `dist/node_modules`, without what Halftone does not use. tfjs-node-gpu has an install script that asks a host
 * other than the registry, esbuild has one that pnpm stops at and that is not needed, tfjs has 250 MB of builds for browsers and source maps, and zeromq has binaries of all platforms and ages.
 * They are no `bundleDependencies`, because yarn ignores that field and installs them from the registry, scripts included.
 */
export const copied = [
  "@tensorflow/tfjs",
  "@tensorflow/tfjs-backend-cpu",
  "@tensorflow/tfjs-backend-wasm",
  "@tensorflow/tfjs-backend-webgl",
  "@tensorflow/tfjs-converter",
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-data",
  "@tensorflow/tfjs-layers",
  "@tensorflow/tfjs-node-gpu",
  "cmake-ts",
  "esbuild",
  "zeromq",
];

/**
 * Types copied likewise: those that the check of cells needs, and those of figures. As dependencies they would lie beside the user's packages,
 * where TypeScript before 6 adds them to every program: an empty file took it twice as long.
 */
export const copiedTypes = ["@types/node", "@types/plotly.js", "undici-types"];

/** The modules of `copied` that Halftone loads. */
const loaded = [
  "@tensorflow/tfjs-node-gpu",
  "@tensorflow/tfjs-node-gpu/dist/io/index.js",
  "@tensorflow/tfjs-node-gpu/dist/io/file_system.js",
  "@tensorflow/tfjs-backend-wasm",
  "esbuild",
  "zeromq",
];

/** Compiled into the files that import them, because they use a small part of them. */
const inlined: Record<string, readonly string[]> = {
  "src/notebook/report/math.js": ["katex"],
  "src/notebook/report/code.js": ["shiki"],
  "src/data/hub/snapshot.js": ["@huggingface/hub"],
  "src/data/hub/cache.js": ["@huggingface/hub"],
};

/** Packages that the package neither copies nor depends on. */
export const inlinedPackages = [...new Set(Object.values(inlined).flat())];

const packageOf = (specifier: string): string => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0];

/** The files of packages among the inputs of a build. In a worktree node_modules is a link to that of the checkout. */
const inPackages = ({ inputs }: Metafile): string[] =>
  Object.keys(inputs).flatMap((file) => /(?:^|\/)(node_modules\/.+)$/.exec(file)?.[1] ?? []);

export interface Copied {
  /** Paths from the root of the checkout, below node_modules. */
  files: string[];
  /** Packages that the copied files import and that are not copied. */
  dependencies: string[];
}

/** The files of the copied packages that Halftone needs. */
export async function copiedFiles(root: string): Promise<Copied> {
  const dependencies = new Set<string>();
  const outside: Plugin = {
    name: "outside",
    setup({ onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path: specifier, kind }) => {
        const name = packageOf(specifier);
        if (kind === "entry-point" || copied.includes(name)) return undefined;
        if (existsSync(path.join(root, "node_modules", name)) && name !== "@mapbox/node-pre-gyp")
          dependencies.add(name);
        return { path: specifier, external: true };
      });
      onResolve({ filter: /\.node$/ }, ({ path: specifier }) => ({ path: specifier, external: true }));
    },
  };
  const { metafile } = await build({
    stdin: { contents: loaded.map((name) => `import ${JSON.stringify(name)};`).join("\n"), resolveDir: root },
    ...{ absWorkingDir: root, bundle: true, write: false, metafile: true, platform: "node", logLevel: "error" },
    ...{ treeShaking: false, ignoreAnnotations: true, plugins: [outside] },
  });
  const files = new Set(inPackages(metafile));
  const more = /\/(dist\/.*\.d\.ts|dist\/[^/]+\.wasm|binding\/[^/]+|package\.json|LICENSE[^/]*)$/;
  for (const name of copied) {
    for (const file of filesUnder(root, `node_modules/${name}`, more)) {
      const declares = file.endsWith(".d.ts");
      if (/_test\.d\.ts$|\/node_modules\/.*\/node_modules\//.test(file)) continue;
      if (!declares || name.startsWith("@tensorflow/")) files.add(file);
    }
  }
  for (const name of copiedTypes)
    for (const file of filesUnder(root, `node_modules/${name}`, /\.d\.ts$|\/package\.json$|\/LICENSE$/))
      files.add(file);
  for (const file of zeromqBinaries(root)) files.add(file);
  return { files: [...files].sort(), dependencies: [...dependencies].sort() };
}

interface ZeromqBuild {
  os: string;
  arch: string;
  libc: string;
  abi: number;
}

/** One binary for each platform: that of the newest ABI, which zeromq tries first. Node-API makes it loadable from Node 20 on. The others need a newer glibc. */
function zeromqBinaries(root: string): string[] {
  const folder = "node_modules/zeromq/build";
  const manifest = JSON.parse(readFileSync(path.join(root, folder, "manifest.json"), "utf8")) as Record<string, string>;
  const newest = new Map<string, { abi: number; file: string }>();
  for (const [key, file] of Object.entries(manifest)) {
    const { os, arch, libc, abi } = JSON.parse(key) as ZeromqBuild;
    const platform = `${os} ${arch} ${libc}`;
    if (arch !== "ia32" && abi > (newest.get(platform)?.abi ?? 0))
      newest.set(platform, { abi, file: file.replaceAll("\\", "/") });
  }
  return [`${folder}/manifest.json`, ...[...newest.values()].map(({ file }) => `${folder}/${file}`)];
}

/** Keeps those binaries in zeromq's manifest that are in the package. */
export function keptBinaries(manifest: string, files: readonly string[]): string {
  const kept = Object.entries(JSON.parse(manifest) as Record<string, string>).filter(([, file]) =>
    files.includes(`node_modules/zeromq/build/${file.replaceAll("\\", "/")}`),
  );
  return JSON.stringify(Object.fromEntries(kept));
}

/** Writes the files that have packages compiled into them over those of the build; returns the folders of those packages. */
export async function inlinePackages(root: string, to: string): Promise<string[]> {
  const folders = new Set<string>();
  for (const [file, names] of Object.entries(inlined)) {
    const own: Plugin = {
      name: "own",
      setup({ onResolve }) {
        onResolve({ filter: /^/ }, ({ path: specifier, importer, kind }) => {
          if (kind === "entry-point" || importer.includes("node_modules")) return undefined;
          const taken = !specifier.startsWith(".") && names.includes(packageOf(specifier));
          return taken ? undefined : { path: specifier, external: true };
        });
      },
    };
    const { metafile } = await build({
      ...{ absWorkingDir: root, entryPoints: [`dist/${file}`], outfile: path.join(to, "dist", file), bundle: true },
      ...{ format: "esm", platform: "node", target: "node20", metafile: true, logLevel: "error", plugins: [own] },
    });
    for (const file of inPackages(metafile)) folders.add(/^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)![0]);
  }
  return [...folders].sort();
}

/** The licence of a package, as a part of one file for all. */
export function licenceOf(root: string, folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license: string;
  };
  const file = readdirSync(path.join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file
    ? readFileSync(path.join(root, folder, file), "utf8").trim()
    : `(${license}; it has no file with its text)`;
  return `${name} ${version} (${license})\n\n${text}\n`;
}
