import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const folders: string[] = [];

/** An empty folder, whose path leads over no link. It is removed when the test file ends, also when a test of it fails. */
export function temporaryFolder(): string {
  if (folders.length === 0) process.once("exit", removeAll);
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "halftone-test-")));
  folders.push(folder);
  return folder;
}

/** At the very end, because what uses a folder ends in hooks of its own. Kernels that were just killed may still write there. */
function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
