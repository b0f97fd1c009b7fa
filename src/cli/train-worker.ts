import { writeFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { listenOnly } from "../launch/listen-address.ts";
import { readTraining } from "../launch/ray/training.ts";
import { workerEnvironment } from "../launch/worker-environment.ts";
import { isAddress } from "../runtime/native/cluster/cluster.ts";
import { starterOf } from "./train-program.ts";

/**
 * `halftone train-worker`, which train.py starts on the nodes of a cluster: runs one worker of the training in a folder, and writes how it
 * ended to ended.json there and an executed notebook to output.ipynb. Without a rank, only checks that this machine can run it.
 */
export async function trainWorker(given: string, flags: { rank?: number; addresses?: string }): Promise<void> {
  const folder = path.resolve(given);
  const { program, args, parameters, source = program, timeout } = readTraining(folder);
  const { rank } = flags;
  if (rank === undefined) {
    await listenOnly("127.0.0.1:2222");
    return;
  }
  const addresses = flags.addresses?.split(",") ?? [];
  if (rank >= addresses.length || !addresses.every(isAddress))
    throw new UserError(
      `--addresses must be host:port,host:port,... with one for rank ${rank}, got ${flags.addresses}.`,
    );
  const files = path.join(folder, "files");
  const env = await workerEnvironment({ addresses, own: [rank] }, rank, timeout);
  process.chdir(files);
  const start = starterOf(
    program.endsWith(".ipynb")
      ? { kind: "notebook", file: program, parameters, source, output: path.join(folder, "output.ipynb") }
      : { kind: "script", file: program, args },
  );
  const { fault = null } = await start(rank, env).ended;
  writeFileSync(path.join(folder, "ended.json"), JSON.stringify({ fault }));
  if (fault !== null) process.exitCode = 1;
}
