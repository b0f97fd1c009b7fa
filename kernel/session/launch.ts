/** Starts the process in which user code runs. Imports next to nothing, so that a kernel can start it first of all. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type HostOptions, optionsVariable } from "../host/protocol.ts";

export interface LaunchedHost {
  child: ChildProcess;
  /** The global under which compiled cells find the host's functions. */
  hostName: string;
  /** What stands in native output where the host left a mark. */
  markerToken: string;
  /** Once all it wrote has been read; an error when it could not be started. */
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

export function launchHost(given: {
  cwd: string;
  packages?: string | undefined;
  env: NodeJS.ProcessEnv;
}): LaunchedHost {
  const { cwd, packages, env } = given;
  const hostName = `__halftone_${randomBytes(6).toString("hex")}`;
  const markerToken = randomBytes(12).toString("hex");
  const options: HostOptions = { cwd, packages, hostName, markerToken };
  const child = spawn(process.execPath, [...flags, fileURLToPath(new URL("../host/main.js", import.meta.url))], {
    cwd,
    env: { ...env, [optionsVariable]: JSON.stringify(options) },
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null } | Error>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", resolve);
  });
  return { child, hostName, markerToken, ended };
}
