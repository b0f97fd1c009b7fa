// Compiles the native parts for several platforms by zig, into packages that `halftone setup` uses in place of a compiler: npm run prebuild
// [-- linux-x64 linux-arm64]. The libraries of TensorFlow are replaced by empty ones of the same names, so that only its headers are needed.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { collector } from "../src/runtime/finalizer-build.ts";
import { addonOf } from "../src/runtime/native/binding/addon.ts";
import { kernelsAddon } from "../src/runtime/native/kernels/load.ts";
import { cacheFolder } from "../src/runtime/setup/cache.ts";
import { zigCompiler } from "../src/runtime/setup/compiler.ts";
import { downloadWheel, keptWheel } from "../src/runtime/setup/download.ts";
import { type Prebuilt, prebuiltName, sourcesHash } from "../src/runtime/setup/prebuilt.ts";
import { findPython } from "../src/runtime/setup/python.ts";
import { bindingSources, recipeFor } from "../src/runtime/setup/recipe.ts";
import { unpack } from "../src/runtime/setup/unpack.ts";
import { provideZig } from "../src/runtime/setup/zig.ts";
import { execute } from "./execute.ts";
import { readManifest } from "./manifest.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const targets: Record<string, { arch: string; target: string }> = {
  "linux-x64": { arch: "x64", target: "x86_64-linux-gnu.2.27" },
  "linux-arm64": { arch: "arm64", target: "aarch64-linux-gnu.2.27" },
};

interface Part {
  name: string;
  sources: readonly string[];
  flags: readonly string[];
  links: readonly string[];
}

const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/** What one package holds. */
function parts(arch: string, work: string): Part[] {
  const recipe = recipeFor("cpu");
  const stubs = libraries.map((name) => path.join(work, "tensorflow", name));
  const quick = addonOf(work);
  const kernels = kernelsAddon(arch);
  const rpath = "-Wl,-rpath,$ORIGIN/tensorflow";
  const include = `-I${path.join(work, "tensorflow/include")}`;
  return [
    {
      name: "binding",
      sources: bindingSources(recipe),
      flags: [...recipe.flags, "-fvisibility=hidden", include, rpath],
      links: stubs,
    },
    { name: collector.name, sources: collector.sources, flags: collector.flags, links: [] },
    { name: quick.name, sources: quick.sources, flags: quick.flags, links: stubs },
    { name: kernels.name, sources: kernels.sources, flags: kernels.flags, links: stubs.slice(1) },
  ];
}

const progress = { step: (line: string) => console.log(line), share: () => {} };

/** The C headers of the wheel, which are the same for every platform. */
async function headers(work: string): Promise<void> {
  const [wheel] = recipeFor("cpu").wheels;
  const python = findPython();
  if (!wheel || !python) throw new Error("Python 3 with pip is needed to download TensorFlow's wheel");
  const file = (await keptWheel(wheel)) ?? (await downloadWheel(python, wheel, () => {}));
  const members = wheel.members.filter((member) => member.includes("/include/"));
  await unpack(python, { ...wheel, members }, file, work, () => {});
}

/** Makes the packages in `to`, a folder for each platform. */
export async function prebuild(platforms: readonly string[], to: string): Promise<void> {
  for (const platform of platforms)
    if (!targets[platform]) throw new Error(`${platform} is none of ${Object.keys(targets).join(", ")}`);
  await provideZig(progress);
  const zig = zigCompiler();
  if (!zig) throw new Error("zig does not run on this machine");
  const nodeHeaders = path.join(
    path.dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")),
    "include",
  );
  mkdirSync(cacheFolder(), { recursive: true });
  for (const platform of platforms) {
    const { arch, target } = targets[platform]!;
    // Object files have the names of folders in them before they are stripped; the same name gives the same bytes.
    const work = mkdtempSync(path.join(cacheFolder(), ".prebuild-"));
    const folder = path.join(work, "package");
    mkdirSync(folder);
    try {
      await headers(work);
      const run = (...args: string[]) => execute(zig.command, args, { env: zig.env, cwd: work });
      writeFileSync(path.join(work, "empty.c"), "");
      for (const name of libraries)
        run("cc", "-target", target, "-shared", `-Wl,-soname,${name}`, "empty.c", "-o", path.join("tensorflow", name));
      const list: Prebuilt = {};
      for (const { name, sources, flags, links } of parts(arch, work)) {
        console.log(`Compiling the ${name} for ${platform}`);
        const file = path.join(folder, prebuiltName(name));
        const compiled = sources.filter((source) => source.endsWith(".cc"));
        const fixed = [
          "-s",
          "-g0",
          "-Wl,--no-as-needed",
          "-Wl,--build-id=none",
          `-ffile-prefix-map=${root}=`,
          `-ffile-prefix-map=${work}=`,
        ];
        run("c++", "-target", target, ...fixed, ...flags, `-I${nodeHeaders}`, ...compiled, ...links, "-o", file);
        const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
        list[name] = { sources: sourcesHash(sources), sha256 };
      }
      const { version, license } = readManifest(root);
      const [os, cpu] = platform.split("-");
      const described = {
        name: `@halftone/native-${platform}`,
        version,
        license,
        description: `Halftone's native parts for ${platform}`,
      };
      const manifest = { ...described, os: [os], cpu: [cpu], libc: ["glibc"], files: ["*.node", "prebuilt.json"] };
      writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
      writeFileSync(path.join(folder, "prebuilt.json"), `${JSON.stringify(list, null, 2)}\n`);
      for (const [name, { sha256 }] of Object.entries(list)) console.log(`  ${prebuiltName(name)}  sha256 ${sha256}`);
      const done = path.join(to, `native-${platform}`);
      rmSync(done, { recursive: true, force: true });
      cpSync(folder, done, { recursive: true });
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const asked = process.argv.slice(2);
  await prebuild(asked.length > 0 ? asked : Object.keys(targets), path.join(root, "dist/native-packages"));
}
