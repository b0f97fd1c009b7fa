// Compiles the native parts for several platforms by zig, into packages that `halftone setup` uses in place of a compiler: npm run prebuild
// [-- linux-x64 linux-arm64]. The libraries of TensorFlow are replaced by empty ones of the same names, so that only its headers are needed.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { collectorAddon } from "../src/runtime/finalizer-build.ts";
import { addonOf } from "../src/runtime/native/binding/addon.ts";
import { kernelsAddon, kernelsLibraries } from "../src/runtime/native/kernels/load.ts";
import { cacheFolder } from "../src/runtime/setup/cache.ts";
import { zigCompiler, zigTarget } from "../src/runtime/setup/compiler.ts";
import { downloadWheel, keptWheel } from "../src/runtime/setup/download.ts";
import { besideTensorflow, libraryNames } from "../src/runtime/setup/linking.ts";
import { type Prebuilt, prebuiltName, sourcesHash } from "../src/runtime/setup/prebuilt.ts";
import { findPython } from "../src/runtime/setup/python.ts";
import { bindingFlags, bindingSources, recipeFor } from "../src/runtime/setup/recipe.ts";
import { unpack } from "../src/runtime/setup/unpack.ts";
import { provideZig } from "../src/runtime/setup/zig.ts";
import { execute } from "./execute.ts";
import { readManifest } from "./manifest.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const targets = ["linux-x64", "linux-arm64", "darwin-arm64"];

interface Part {
  name: string;
  sources: readonly string[];
  flags: readonly string[];
  links: readonly string[];
}

/** What one package holds. */
function parts(os: string, arch: string, work: string): Part[] {
  const stubs = libraryNames(os).map((name) => path.join(work, "tensorflow", name));
  const quick = addonOf(work, os);
  const collector = collectorAddon(os);
  const kernels = kernelsAddon(os, arch);
  const include = `-I${path.join(work, "tensorflow/include")}`;
  return [
    {
      name: "binding",
      sources: bindingSources(recipeFor("cpu")),
      flags: [...bindingFlags, "-fvisibility=hidden", include, ...besideTensorflow(os)],
      links: stubs,
    },
    { name: collector.name, sources: collector.sources, flags: collector.flags, links: [] },
    { name: quick.name, sources: quick.sources, flags: quick.flags, links: stubs },
    {
      name: kernels.name,
      sources: kernels.sources,
      flags: kernels.flags,
      links: kernelsLibraries(path.join(work, "tensorflow"), os),
    },
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
    if (!targets.includes(platform)) throw new Error(`${platform} is none of ${targets.join(", ")}`);
  await provideZig(progress);
  const zig = zigCompiler();
  if (!zig) throw new Error("zig does not run on this machine");
  const nodeHeaders = path.join(
    path.dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")),
    "include",
  );
  mkdirSync(cacheFolder(), { recursive: true });
  for (const platform of platforms) {
    const [os = "", arch = ""] = platform.split("-");
    const target = zigTarget(os, arch);
    // Object files have the names of folders in them before they are stripped; the same name gives the same bytes.
    const work = mkdtempSync(path.join(cacheFolder(), ".prebuild-"));
    const folder = path.join(work, "package");
    mkdirSync(folder);
    try {
      await headers(work);
      const run = (...args: string[]) => execute(zig.command, args, { env: zig.env, cwd: work });
      writeFileSync(path.join(work, "empty.c"), "");
      for (const name of libraryNames(os)) {
        const called = os === "darwin" ? `-Wl,-install_name,@rpath/${name}` : `-Wl,-soname,${name}`;
        run("cc", "-target", target, "-shared", called, "empty.c", "-o", path.join("tensorflow", name));
      }
      const list: Prebuilt = {};
      for (const { name, sources, flags, links } of parts(os, arch, work)) {
        console.log(`Compiling the ${name} for ${platform}`);
        const file = path.join(folder, prebuiltName(name));
        const compiled = sources.filter((source) => source.endsWith(".cc"));
        const fixed = [
          "-s",
          "-g0",
          ...(os === "linux"
            ? ["-Wl,--no-as-needed", "-Wl,--build-id=none"]
            : [`-Wl,-install_name,@rpath/${prebuiltName(name)}`]),
          `-ffile-prefix-map=${root}=`,
          `-ffile-prefix-map=${work}=`,
        ];
        run("c++", "-target", target, ...fixed, ...flags, `-I${nodeHeaders}`, ...compiled, ...links, "-o", file);
        const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
        list[name] = { sources: sourcesHash(sources), sha256 };
      }
      const { version, license } = readManifest(root);
      const described = {
        name: `@halftone/native-${platform}`,
        version,
        license,
        description: `Halftone's native parts for ${platform}`,
      };
      const machine = { os: [os], cpu: [arch], ...(os === "linux" && { libc: ["glibc"] }) };
      const manifest = { ...described, ...machine, files: ["*.node", "prebuilt.json"] };
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
  await prebuild(asked.length > 0 ? asked : targets, path.join(root, "dist/native-packages"));
}
