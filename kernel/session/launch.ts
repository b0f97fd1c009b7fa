/** Starts the process in which user code runs. Has few imports, so that a kernel can start it first. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type HostOptions, optionsVariable } from "../protocol/host.ts";
import { ownPackagesFolder } from "../protocol/own-packages.ts";

export interface LaunchedHost {
  child: ChildProcess;
  /** The global under which compiled cells find the host's functions. */
  hostName: string;
  /** The text that marks a position in native output. */
  markerToken: string;
  /** Resolves when all its output has been read; to an error when it could not be started. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null } | Error>;
}

const flags = [
  // `import.meta.resolve` with a parent: from the notebook's folder.
  "--experimental-import-meta-resolve",
  // An interrupt that ends a timer's or an awaited callback leaves Node's async ids unpopped, for which it would abort.
  "--no-force-async-hooks-checks",
  // A module beside the notebook needs no package.json: what Node warns of is how a cell's import finds that it is one.
  "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
];
// Node 22 can keep a callback's context without async ids, as later ones do.
const byContextFrame = "--experimental-async-context-frame";
if (process.versions.node.startsWith("22.") && process.allowedNodeEnvironmentFlags.has(byContextFrame))
  flags.push(byContextFrame);

const hasGroups = process.platform !== "win32";

export function launchHost(given: {
  cwd: string;
  packages?: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Whether V8's inspector will be opened for other debuggers. */
  inspect?: boolean | undefined;
}): LaunchedHost {
  const { cwd, packages, env, inspect } = given;
  const hostName = `__halftone_${randomBytes(6).toString("hex")}`;
  const markerToken = randomBytes(12).toString("hex");
  const options: HostOptions = { cwd, packages, own: ownPackagesFolder(cwd, env), inspect, hostName, markerToken };
  // Its path is the key to the process: Node would list it for all users of this machine.
  const publish = inspect ? ["--inspect-publish-uid=stderr"] : [];
  const child = spawn(
    process.execPath,
    [...flags, ...publish, fileURLToPath(new URL("../host/main.js", import.meta.url))],
    {
      cwd,
      env: { ...env, [optionsVariable]: JSON.stringify(options) },
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe", "pipe"],
      windowsHide: true,
      // In a process group of its own: a terminal's Ctrl-C does not reach it, and what cells spawn ends with it.
      detached: hasGroups,
    },
  );
  const groupEnded = new Promise<void>((resolve) => {
    child.once("exit", () => void endGroup(child).then(resolve));
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null } | Error>((resolve) => {
    child.once("close", (code, signal) => void groupEnded.then(() => resolve({ code, signal })));
    child.once("error", resolve);
  });
  return { child, hostName, markerToken, ended };
}

/** Milliseconds between checks for processes that are left after SIGTERM; after the last comes SIGKILL. As in ipykernel. */
const looks = [10, 20, 50, 100, 250, 500];
/** Milliseconds to read what a dead host has written. */
const readWithin = 1000;

/** The processes that cells have started end with their host. Those with a process group of their own stay (`detached: true`). */
async function endGroup(child: ChildProcess): Promise<void> {
  if (hasGroups && signalGroup(child, "SIGTERM")) {
    let isLeft = true;
    for (let look = 0; isLeft && look < looks.length; look++) {
      await delay(looks[look]);
      isLeft = signalGroup(child, 0);
    }
    if (isLeft) signalGroup(child, "SIGKILL");
  }
  // A process that stays may hold the pipes open: do not wait for their end.
  setTimeout(() => {
    for (const pipe of child.stdio) (pipe as Socket | null)?.destroy();
  }, readWithin).unref();
}

/** Kills a host and terminates its cells' child processes. `endGroup` kills those that are left once the host is gone. */
export function killHost(child: ChildProcess): void {
  child.kill("SIGKILL");
  // Now: this process may be ended itself before it hears of the host's end.
  if (hasGroups) signalGroup(child, "SIGTERM");
}

/** False when the group has no process left. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid!, signal);
  } catch {
    return false;
  }
}
