import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { UserError } from "../base/user-error.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];
const timeoutMs = 300_000;
const fixedPaths = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** The path in `HALFTONE_BROWSER`, otherwise an installed Chromium, Chrome or Edge; undefined if there is none. */
export function findBrowser(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.HALFTONE_BROWSER) return env.HALFTONE_BROWSER;
  const folders = (env.PATH ?? "").split(path.delimiter);
  return [...names.flatMap((name) => folders.map((folder) => path.join(folder, name))), ...fixedPaths].find(
    isExecutable,
  );
}

interface PageOptions {
  /** An empty folder for the browser's own files. */
  profile: string;
  /** Ends the browser; the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
}

/** A page's HTML after its scripts have finished. */
export async function renderedPage(browser: string, page: URL, { profile, signal }: PageOptions): Promise<string> {
  const flags = [
    "--headless",
    "--disable-gpu",
    `--user-data-dir=${profile}`,
    // A figure must not send requests.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    // In milliseconds of the page's own clock, which stops while its scripts run.
    "--virtual-time-budget=60000",
    "--dump-dom",
    // Chromium has no sandbox for root.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ];
  const child = spawn(browser, [...flags, page.href], {
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
    killSignal: "SIGKILL",
  });
  const [pageText, errorText] = [textOf(child.stdout), textOf(child.stderr)];
  const status = await new Promise<number | string | null>((resolve, reject) => {
    child.once("error", (error) => {
      if (signal?.aborted) return reject(signal.reason);
      const problem = error.name === "AbortError" ? `took longer than ${timeoutMs / 1000} s` : "could not be started";
      reject(new UserError(`${browser} ${problem}: ${error.message}`, 1));
    });
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  if (status === 0) return pageText();
  throw new UserError(`${browser} exited with status ${status}: ${errorText().trim().split("\n").at(-1)}`, 1);
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  const chunks: string[] = [];
  stream.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  return () => chunks.join("");
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
