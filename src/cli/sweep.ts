import path from "node:path";
import { counted } from "../base/counted.ts";
import { listNames } from "../base/list-names.ts";
import { UserError } from "../base/user-error.ts";
import { type Notebook, readNotebook } from "../notebook/nbformat.ts";
import { type Parameters, pair } from "../notebook/parameters.ts";
import { withLock } from "../runtime/setup/with-lock.ts";
import { type Axis, parseAxis } from "../sweep/axis.ts";
import { type Goal, parseGoal } from "../sweep/best.ts";
import type { Executor, Resources, Sweep } from "../sweep/executor.ts";
import { executorFor } from "../sweep/executors.ts";
import { readParams } from "../sweep/params-file.ts";
import { makePlan, type Plan } from "../sweep/plan.ts";
import { pointsOf } from "../sweep/points.ts";
import { Results } from "../sweep/results.ts";
import { pointsToRun, runSweep, type SweepResult } from "../sweep/run-sweep.ts";
import { staleResults } from "../sweep/stale.ts";
import { Store } from "../sweep/store.ts";
import { metricNames } from "../sweep/table.ts";
import { stopOnSignal } from "./stop.ts";
import { DetachedCommand } from "./sweep-detach.ts";
import { follow, pointLine } from "./sweep-progress.ts";

export interface SweepFlags extends Resources {
  parameter?: string[];
  raw?: string[];
  params?: string;
  output: string;
  on: string;
  random?: number;
  randomSeed?: number;
  best?: string;
  jobs?: number;
  retry?: "failed" | "all";
  maxFailures?: number;
  timeBudget?: number;
  timeout?: number;
  sbatch?: string[];
  detach?: boolean;
  command?: readonly string[];
}

const say = (message: string) => console.error(message);

/**
 * `halftone sweep`: exit status 0 if all points have succeeded, 1 if one failed or a limit stopped the sweep, 130 if it was interrupted. What
 * has ended is kept in any case.
 */
export async function sweep(input: string, flags: SweepFlags): Promise<void> {
  const notebook = readNotebook(input);
  const plan = await planFor(input, notebook, flags);
  const goal = flags.best === undefined ? undefined : parseGoal(flags.best);
  const store = new Store(flags.output);
  const detached = new DetachedCommand();
  const executor = executorFor(flags.on, { ...flags, resources: resourcesOf(flags), detachLocally: detached.start });
  const { timeout } = flags;
  const folder = path.dirname(path.resolve(input));
  const planned: Sweep = { plan, store, folder, say, ...(timeout === undefined ? {} : { timeout }) };
  store.requireWritable();
  // A second sweep into the same folder waits for the first one, shows what it does, and then runs what is left.
  let follower: Disposable | undefined;
  const onWait = (pid: string) => {
    if (flags.detach) {
      say(`Process ${pid} runs a sweep into ${flags.output} already. The command without --detach follows it.`);
      process.exit(1);
    }
    say(
      `Process ${pid} runs a sweep into ${flags.output}: following it. Ctrl-C ends only the following; kill ${pid} ends the sweep.`,
    );
    follower = follow(store, plan);
  };
  await withLock(`sweep ${store.folder}`, onWait, async () => {
    follower?.[Symbol.dispose]();
    DetachedCommand.tellParent();
    const stale = staleResults(store, plan);
    if (stale !== undefined) say(stale);
    store.begin(plan, notebook);
    const toRun = flags.detach ? pointsToRun(plan.points, store.ended(plan.points), flags.retry) : [];
    if (toRun.length > 0) await detach(executor, planned, toRun);
    else await runAttached(executor, planned, flags, goal);
  });
  await detached.hasFolder();
}

async function detach(executor: Executor, sweep: Sweep, points: Plan["points"]): Promise<void> {
  await executor.check?.(sweep);
  for (const { id } of points) sweep.store.forget(id);
  say(
    `${await executor.detach(sweep, points)} The same command without --detach and --retry follows them and collects the results.`,
  );
}

async function runAttached(executor: Executor, sweep: Sweep, flags: SweepFlags, goal: Goal | undefined): Promise<void> {
  const { plan, store } = sweep;
  const stop = stopOnSignal();
  const results = new Results(store, plan, goal);
  const running = runSweep(executor, sweep, {
    ...flags,
    signal: stop.signal,
    onStart: (counts) => say(startLine(plan, executor.place, counts, flags.retry !== undefined)),
    onPoint: (record, ended, total) => {
      say(pointLine(record, ended, total));
      results.refresh();
    },
  });
  const result = await running.catch(async (error: unknown) => {
    // What ended before is in the tables, unless they cannot be written either.
    await results.write(store.records(plan.points)).catch(() => {});
    throw error;
  });
  say(endLine(result, plan, flags));
  const metrics = metricNames(result.records);
  if (goal && metrics.length > 0 && !metrics.includes(goal.metric))
    say(`--best ${goal.metric}: no point reports this metric; they report ${listNames(metrics)}.`);
  console.log(await results.write(result.records));
  const complete =
    result.records.length === plan.points.length && result.records.every(({ status }) => status === "ok");
  process.exitCode = stop.signal.aborted ? stop.exitCode() : complete ? 0 : 1;
}

async function planFor(input: string, notebook: Notebook, flags: SweepFlags): Promise<Plan> {
  const file = flags.params === undefined ? { rows: [{}] as Parameters[], axes: [] } : await readParams(flags.params);
  const axes: Axis[] = [
    ...file.axes,
    ...(flags.parameter ?? []).map((text) => parseAxis(...pair("-p", text))),
    ...(flags.raw ?? []).map((text): Axis => {
      const [name, value] = pair("-r", text);
      return { name, kind: "values", values: [value] };
    }),
  ];
  const { random, randomSeed } = flags;
  const search = { ...(random === undefined ? {} : { random }), ...(randomSeed === undefined ? {} : { randomSeed }) };
  if (random === undefined && randomSeed !== undefined)
    throw new UserError("--random-seed is what samples depend on, but none is drawn: give --random N.");
  const points = pointsOf(axes, search, file.rows);
  const plan = makePlan(notebook, { input, output: flags.output, points });
  const equal = points.length - plan.points.length;
  if (equal > 0) say(`${equal} of ${points.length} points are equal to others; each runs once.`);
  return plan;
}

function resourcesOf({ cpus, gpus, memory }: SweepFlags): Resources {
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(gpus === undefined ? {} : { gpus }),
    ...(memory === undefined ? {} : { memory }),
  };
}

function startLine(
  { points }: Plan,
  place: string,
  { toRun, reused, failed }: { toRun: number; reused: number; failed: number },
  retries: boolean,
): string {
  const parts = [
    counted(points.length, "point"),
    ...(reused > 0 ? [`${reused} done before`] : []),
    ...(failed > 0 ? [`${failed} failed before${retries ? "" : " (--retry failed runs them again)"}`] : []),
    toRun === 0 ? "nothing to run" : `${toRun} to run on ${place}`,
  ];
  return parts.join(", ");
}

function endLine({ records, stopped }: SweepResult, { points }: Plan, flags: SweepFlags): string {
  const failed = records.filter(({ status }) => status === "error").length;
  const why = {
    signal: "Interrupted",
    failures: `Stopped by --max-failures ${flags.maxFailures}`,
    time: `Stopped by --time-budget ${flags.timeBudget} s`,
  };
  const missing = points.length - records.length;
  const counts = [
    `${records.length - failed} of ${counted(points.length, "point")} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(missing > 0 ? [`${missing} not run; the same command runs ${missing === 1 ? "it" : "them"}`] : []),
  ].join(", ");
  return stopped ? `${why[stopped]}: ${counts}` : counts;
}
