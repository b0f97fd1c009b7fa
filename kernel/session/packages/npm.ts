import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Packages could not be installed; the message says why in a sentence. */
export class InstallError extends Error {
  override name = "InstallError";
  /** npm's code for it, such as `E404`. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

export interface NpmOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Hears of each file that npm has fetched. */
  onFetched: () => void;
}

/** Runs npm's own client, without install scripts. */
export async function npm(args: readonly string[], { cwd, env, signal, onFetched }: NpmOptions): Promise<void> {
  const quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=http"];
  // Without a network npm would try for more than a minute.
  const retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
  const child = spawn("npm", [...args, ...quiet, ...retries], {
    cwd,
    env,
    signal,
    stdio: ["ignore", "ignore", "pipe"],
    shell: process.platform === "win32",
  });
  const lines: string[] = [];
  createInterface(child.stderr).on("line", (line) => {
    if (/^npm http fetch/.test(line)) onFetched();
    else lines.push(line);
  });
  const ok = await new Promise<boolean>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new InstallError("npm, which installs packages, was not found on this machine")
          : error,
      ),
    );
    child.on("close", (status) => resolve(status === 0));
  });
  if (!ok) throw new InstallError(whyNpmFailed(lines), codeIn(errorsIn(lines)));
}

const noNetwork =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR)$/;

/** What npm wrote to stderr, as a sentence. */
export function whyNpmFailed(lines: readonly string[]): string {
  const errors = errorsIn(lines);
  const code = codeIn(errors) ?? "";
  const about = errors.slice(1).filter((line) => !/complete log of this run|^A complete|^\/.*\.log$/.test(line));
  const text = about.join(" ");
  if (code === "E404") return missing(text);
  if (code === "ETARGET")
    return `${/No matching version found for ([^\s]+?)\.?(?:\s|$)/.exec(text)?.[1] ?? "This version"} does not exist`;
  if (noNetwork.test(code))
    return `npm cannot reach its registry (${code}): connect to a network, and run the cell again`;
  if (code === "ERESOLVE")
    return `the packages do not fit together: ${about.find((line) => /^(?:peer|Could not resolve)/.test(line)) ?? about[0] ?? code}`;
  return `npm could not install the packages (${code || "no code"}): ${about.slice(0, 3).join(" ") || "it gave no reason"}`;
}

function errorsIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^npm (?:error|ERR!) ?(.*)/.exec(line)?.[1]?.trim() || []);
}

function codeIn(errors: readonly string[]): string | undefined {
  return /^code (\S+)/.exec(errors[0] ?? "")?.[1];
}

function missing(text: string): string {
  const name =
    /'((?:@[^/'@]+\/)?[^'@]+)@[^']*' is not in this registry|The requested resource '((?:@[^/'@]+\/)?[^'@]+)@?[^']*'/.exec(
      text,
    );
  const found = name?.[1] ?? name?.[2];
  if (found?.startsWith("@jsr/"))
    return `npm does not find JSR's package ${found}: npm's setting @jsr:registry has to name JSR's mirror for npm, and the package has to be there`;
  return found === undefined ? "npm's registry has no such package" : `npm's registry has no package ${found}`;
}
