import { accessSync, constants } from "node:fs";
import path from "node:path";

/** A Chromium or Chrome on this machine's PATH, or nothing. */
export function findBrowser(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const places = (process.env.PATH ?? "").split(path.delimiter);
  return names.flatMap((name) => places.map((place) => path.join(place, name))).find(runnable);
}

function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
