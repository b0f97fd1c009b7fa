import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after } from "node:test";
import { temporaryFolder } from "../temporary-folder.ts";

export interface Published {
  name: string;
  version: string;
  files: Record<string, string>;
  /** Further fields of its package.json. */
  manifest?: Record<string, unknown>;
}

/** A registry of npm on this machine with these packages, until the test file ends. Returns npm's settings for it. */
export async function startRegistry(packages: readonly Published[]): Promise<NodeJS.ProcessEnv> {
  const folder = temporaryFolder();
  const tarballs = packages.map((each, index) => pack(each, path.join(folder, String(index))));
  const server = createServer(({ url = "" }, response) => {
    const tarball = /^\/tarballs\/(\d+)\.tgz$/.exec(url)?.[1];
    if (tarball !== undefined) return void response.end(tarballs[Number(tarball)]!.bytes);
    const name = decodeURIComponent(url.slice(1));
    const versions = packages.flatMap(({ version }, index) =>
      packages[index]!.name === name ? [[version, documentOf(packages[index]!, index)] as const] : [],
    );
    response.statusCode = versions.length > 0 ? 200 : 404;
    const latest = versions.at(-1)?.[0];
    response.end(JSON.stringify({ name, "dist-tags": { latest }, versions: Object.fromEntries(versions) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    npm_config_registry: address,
    "npm_config_@jsr:registry": address,
    npm_config_cache: path.join(folder, "npm"),
  };

  function documentOf({ name, version, manifest }: Published, index: number) {
    const dist = { tarball: `${address}tarballs/${index}.tgz`, integrity: tarballs[index]!.integrity };
    return { name, version, ...manifest, ...(hasScript(manifest) ? { hasInstallScript: true } : {}), dist };
  }
}

function hasScript(manifest: Published["manifest"]): boolean {
  return /install/.test(Object.keys((manifest?.scripts as object | undefined) ?? {}).join());
}

function pack({ name, version, files, manifest }: Published, folder: string): { bytes: Buffer; integrity: string } {
  const inside = path.join(folder, "package");
  mkdirSync(inside, { recursive: true });
  const all = { "package.json": JSON.stringify({ name, version, ...manifest }), ...files };
  for (const [file, text] of Object.entries(all)) writeFileSync(path.join(inside, file), text);
  execFileSync("tar", ["-czf", "package.tgz", "package"], { cwd: folder });
  const bytes = readFileSync(path.join(folder, "package.tgz"));
  return { bytes, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
}
