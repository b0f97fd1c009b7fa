/** The process that a kernelspec starts. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { readConnectionFile } from "./jupyter/connection.ts";
import { History, historyFile } from "./jupyter/history.ts";
import { Kernel } from "./jupyter/kernel.ts";
import { watchParent } from "./jupyter/parent.ts";
import { Session } from "./session/session.ts";

export async function main(connectionFile: string): Promise<void> {
  const connection = readConnectionFile(connectionFile);
  const session = Session.start({ cwd: process.cwd() });
  const history = new History(historyFile());
  const kernel = await Kernel.start(connection, session, history, () => void end(0));
  let ending = false;
  const end = async (code: number): Promise<void> => {
    if (ending) return;
    ending = true;
    await Promise.all([kernel.close(), session[Symbol.asyncDispose]()]);
    process.exit(code);
  };
  process.on("SIGINT", () => kernel.interrupt());
  process.on("SIGTERM", () => void end(0));
  process.on("SIGHUP", () => void end(0));
  watchParent(() => void end(0));
  // One request that goes wrong must not cost the notebook its kernel.
  process.on("uncaughtException", (error) => console.error("[halftone]", error));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [connectionFile] = process.argv.slice(2);
  main(connectionFile ?? "").catch((error: unknown) => {
    console.error(`[halftone] ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  });
}
