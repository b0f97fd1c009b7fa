// Builds the package, packs it, checks it as users have it, and prints what would be published: npm run release. It publishes nothing.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { platformName } from "../src/runtime/setup/prebuilt.ts";
import { checks, install } from "./checks.ts";
import { execute } from "./execute.ts";
import { readManifest } from "./manifest.ts";
import { stage } from "./stage.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = path.join(root, "dist/release-packages");
const isQuick = process.argv.includes("--quick");
const isUnchecked = process.argv.includes("--no-checks");

/** The folder's contents as npm would publish them; the archive's path. */
function pack(contents: string): string {
  const [{ filename }] = JSON.parse(
    execute("npm", ["pack", contents, "--json", "--ignore-scripts", "--pack-destination", folder]),
  ) as [{ filename: string }];
  return path.join(folder, filename);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const { version } = readManifest(root);
const contents = path.join(root, "dist/package");
const natives = path.join(root, "dist/native-packages");
const platforms = existsSync(natives) ? readdirSync(natives).map((name) => name.replace("native-", "")) : [];
await stage(root, contents, platforms);
const archives = [pack(contents)];
for (const platform of platforms) {
  const archive = pack(path.join(natives, `native-${platform}`));
  // npm refuses those of other platforms.
  if (platform === platformName()) archives.push(archive);
}

const work = mkdtempSync(path.join(tmpdir(), "halftone-release-"));
try {
  let failed = 0;
  if (!isUnchecked) {
    console.log(`installed into an empty folder: ${install(archives, work, isQuick)}`);
    for (const { name, run } of checks(archives, work, isQuick)) {
      try {
        const started = process.hrtime();
        console.log(`  ${name}: ${run()} (${process.hrtime(started)[0]} s)`);
      } catch (error) {
        failed++;
        console.log(`  ${name}: FAILED\n${error instanceof Error ? error.message : error}`);
      }
    }
  }
  console.log(`halftone ${version} would publish:`);
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(path.join(folder, name));
    const hash = createHash("sha256").update(bytes).digest("hex");
    console.log(
      `  npm publish ${path.join("dist/release-packages", name)}  (${(bytes.length / 1e6).toFixed(1)} MB, sha256 ${hash})`,
    );
  }
  if (failed > 0) {
    console.log(`${failed} checks failed: do not publish.`);
    process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
