import path from "node:path";
import { counted } from "../base/counted.ts";
import { writeWhole } from "../base/files.ts";
import { trainOnRay } from "../launch/ray/train-on-ray.ts";
import { jobArchive } from "../launch/ray/training.ts";
import { recordedVariables } from "../notebook/variables.ts";
import { rayAddress, rayToken } from "../ray/address.ts";
import { stopOnSignal } from "./stop.ts";
import type { TrainProgram } from "./train-program.ts";

export interface RayFlags {
  /** `ray://HOST` */
  on?: string;
  /** CPUs of each worker. */
  cpus?: number;
  /** How a node starts Halftone. */
  command?: readonly string[];
}

interface Places extends RayFlags {
  on: string;
  workers: number;
  timeout: number;
}

/** `halftone train --on ray://HOST`, with the output and the exit status that a training on this machine has. */
export async function trainOnCluster(
  program: TrainProgram,
  { on, workers, timeout, cpus = 1, command = [] }: Places,
): Promise<void> {
  const address = rayAddress(on);
  const { CUDA_VISIBLE_DEVICES: _, ...env } = recordedVariables(process.env);
  const name = path.basename(program.file);
  const given =
    program.kind === "script"
      ? { program: name, args: [...program.args], parameters: {} }
      : { program: name, args: [], parameters: program.parameters, source: program.source };
  const started = command.length > 0 ? command : ["halftone"];
  const archive = jobArchive(program.file, { ...given, timeout }, { workers, command: started, cpus, env });
  const stop = stopOnSignal();
  await trainOnRay(
    { address, token: rayToken(), archive, program: name },
    {
      say: (message) => console.error(message),
      onStart: (hosts) => console.error(startLine(hosts, cpus)),
      onOutput: (stream, text) => process[stream].write(text),
      onNotebook: (text) => program.kind === "notebook" && writeWhole(program.output, text),
    },
    stop.signal,
  );
  process.exitCode = stop.exitCode();
}

function startLine(hosts: readonly string[], cpus: number): string {
  const places = hosts.map((host, rank) => `${rank} on ${host}`).join(", ");
  return `${counted(hosts.length, "worker")} with ${counted(cpus, "CPU")} each: ${places}`;
}
