import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { UserError } from "../../base/user-error.ts";

/** A task of an array that waits or runs. */
export interface QueuedTask {
  index: number;
  /** Slurm's own word: PENDING, RUNNING, COMPLETING and others. */
  state: string;
  /** Why it waits, in Slurm's words; empty or "None" if it does not. */
  reason: string;
}

/** Milliseconds after which a command of Slurm is taken for one that gets no answer. */
const PATIENCE = 30_000;

/** Checks that Slurm is here and answers. @throws UserError */
export async function requireSlurm(): Promise<void> {
  await slurm("sinfo", ["--noheader", "--format=%P"], "Slurm's controller does not answer");
}

/** Submits a script and returns the job's id. @throws UserError with Slurm's own words if it refuses */
export async function submit(args: string[]): Promise<string> {
  const answer = await slurm("sbatch", ["--parsable", ...args], "Slurm refuses the sweep");
  // With several clusters the answer is `id;cluster`.
  return answer.trim().split(";")[0]!;
}

/** The tasks of the jobs of this name that wait or run, by their place in the array. @throws UserError if the controller does not answer */
export async function queued(name: string): Promise<QueuedTask[]> {
  const user = userInfo().username;
  const args = ["--noheader", "--array", `--user=${user}`, `--name=${name}`, "--format=%K|%T|%r"];
  const lines = (await slurm("squeue", args, "Slurm's controller does not answer")).split("\n");
  return lines.flatMap((line) => {
    const [index, state, reason = ""] = line.trim().split("|");
    return state === undefined ? [] : [{ index: Number(index), state, reason }];
  });
}

/** How a task ended, in Slurm's word (COMPLETED, FAILED, OUT_OF_MEMORY, ...); undefined if Slurm does not know it any more. */
export async function finalState(job: string, index: number): Promise<string | undefined> {
  const task = `${job}_${index}`;
  try {
    const accounted = await run("sacct", [
      "--noheader",
      "--parsable2",
      "--allocations",
      `--jobs=${task}`,
      "--format=State",
    ]);
    const state = accounted.trim().split("\n").at(-1)?.split(" ")[0];
    if (state) return state;
  } catch {
    // Many clusters have no accounting. Then the controller remembers a job for some minutes (MinJobAge).
  }
  try {
    return /\bJobState=(\w+)/.exec(await run("scontrol", ["--oneliner", "show", "job", task]))?.[1];
  } catch {
    return undefined;
  }
}

/** The largest number of tasks of one array. */
export async function mostTasks(): Promise<number> {
  const config = await slurm("scontrol", ["show", "config"], "Slurm's controller does not answer");
  return Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)?.[1] ?? 1001);
}

/** Ends a job and all of its tasks. A job that has ended is left alone. */
export async function cancel(name: string): Promise<void> {
  await run("scancel", [`--user=${userInfo().username}`, `--name=${name}`]).catch(() => {});
}

async function slurm(command: string, args: string[], problem: string): Promise<string> {
  try {
    return await run(command, args);
  } catch (error) {
    const {
      code,
      stderr = "",
      message,
      killed,
    } = error as { code?: unknown; stderr?: string; message: string; killed?: boolean };
    if (code === "ENOENT")
      throw new UserError(
        `--on slurm: the command ${command} is not here. Start the sweep on a login node of the cluster.`,
        1,
      );
    const said = stderr
      .trim()
      .replaceAll(/^\w+: (?:error: )?/gm, "")
      .replaceAll("\n", " ");
    throw new UserError(
      `--on slurm: ${problem}: ${killed ? `${command} got no answer in ${PATIENCE / 1000} s` : said || message}`,
      1,
    );
  }
}

function run(command: string, args: string[]): Promise<string> {
  // Times and words of other languages would not be understood.
  const env = { ...process.env, LC_ALL: "C", SLURM_TIME_FORMAT: "standard" };
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: PATIENCE, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(Object.assign(error, { stderr }));
      else resolve(stdout);
    });
  });
}
