/** The process that a kernelspec starts. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { readConnectionFile } from "./jupyter/connection.ts";
import { launchHost } from "./session/launch.ts";

export async function main(connectionFile: string): Promise<void> {
  const connection = readConnectionFile(connectionFile);
  const place = { cwd: process.cwd(), env: process.env };
  // The host loads on another core while this process loads the rest of itself.
  const launched = launchHost(place);
  const [{ Session }, { InputHistory, historyFile }, { Kernel }, { watchParent, startWatchdog }] = await Promise.all([
    import("./session/session.ts"),
    import("./jupyter/input-history.ts"),
    import("./jupyter/kernel.ts"),
    import("./jupyter/parent.ts"),
  ]);
  const session = Session.start({ ...place, launched });
  const history = new InputHistory(historyFile());
  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    history.write();
    // End running cells first, so that their clients get a reply.
    await session[Symbol.asyncDispose]();
    await kernel.close();
    process.exit(0);
  };
  const kernel = await Kernel.start(connection, session, history, end);
  process.on("SIGINT", () => kernel.interrupt());
  process.on("SIGTERM", end);
  process.on("SIGHUP", end);
  watchParent(end);
  startWatchdog();
  // A request that fails must not end the kernel.
  process.on("uncaughtException", (error) => console.error("[halftone]", error));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [connectionFile] = process.argv.slice(2);
  main(connectionFile ?? "").catch((error: unknown) => {
    console.error(`[halftone] ${error instanceof Error ? error.message : error}`);
    // At once: the host was started before, and would keep this process.
    process.exit(1);
  });
}
