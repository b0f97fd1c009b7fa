#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parseBytes } from "../base/bytes.ts";
import { parseDuration } from "../base/duration.ts";
import { refusePlugNPlay } from "../base/plug-n-play.ts";
import { UserError } from "../base/user-error.ts";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("halftone")
  .description("A Jupyter kernel for TypeScript, and the tensor library that its notebooks use")
  .version(version)
  .showHelpAfterError("(run halftone --help for usage)")
  .enablePositionalOptions()
  .hook("preAction", refusePlugNPlay)
  .exitOverride();

program
  .command("run")
  .description("run notebooks without Jupyter; write executed copies, and for a folder a report as well")
  .argument("<notebook|folder...>", "notebooks (.ipynb) or folders of them")
  .option(
    "-o, --output <path>",
    "the executed notebook; a folder when several are run (default: NAME.executed.ipynb, report/)",
  )
  .option("-p, --parameter <name=value>", "set a parameter: a number, true, false, null, JSON or text", collect)
  .option("-r, --raw <name=text>", "set a parameter to this text, not converted", collect)
  .option("-f, --parameters-file <file>", "set parameters from a JSON file")
  .option("--allow-errors", "continue after a cell that fails")
  .option("--timeout <seconds>", "stop a cell that runs longer than this", positive)
  .option("--fresh", "also run notebooks whose executed copy is complete and up to date")
  .option("--lock", "write the exact versions of imported packages and their dependencies to NAME.lock.json")
  .option(
    "--from-lock <file>",
    "install a lock's packages in a separate folder, without running their scripts, and use them",
  )
  .option("--models", "also run notebooks that would download a model into the cache (default)")
  .option("--no-models", "leave them out, and say so")
  .option("--inspect", "wait for Chrome or VS Code, print how to attach them, and stop at the first cell")
  .option("--jobs <count>", "notebooks to run at once (default: 2 where each has a core and 3 GiB, 1 on a GPU)", count)
  .action(async (inputs, flags) => (await import("./run.ts")).run(inputs, flags));

program
  .command("sweep")
  .description("run a notebook with many parameters; keep every result in a folder, with a table and a page of all")
  .argument("<notebook>", "a notebook (.ipynb) with a cell tagged `parameters`")
  .requiredOption("-o, --output <folder>", "the folder of results; what is done there is not run again")
  .option("-p, --parameter <name=values>", "values to try: adam,sgd or 1..5 or 0..1:5 or 1e-4..1e-1:log:5", collect)
  .option("-r, --raw <name=text>", "set a parameter to this text, not converted", collect)
  .option("--params <file>", "a CSV file or JSON list with a row for each point, or a JSON object of -p's values")
  .option("--random <count>", "draw this many samples of -p's ranges instead of every combination", count)
  .option("--random-seed <seed>", "what the samples depend on (default: 0)", integer)
  .option(
    "--best <metric>",
    "the metric that decides which point is best, as NAME, NAME:min or NAME:max (default: the first)",
  )
  .option("--on <place>", "where points run: local, slurm, or ray://HOST of a Ray cluster's dashboard", "local")
  .option("--jobs <count>", "points at a time (default: 2 where each has a core and 3 GiB, 1 on a GPU)", count)
  .option("--cpus <count>", "what each point may use, where the place shares out its machines", amount)
  .option("--gpus <count>", "the same for GPUs", amount)
  .option("--memory <size>", "the same for memory, for instance 4GiB", bytes)
  .option(
    "--sbatch <options>",
    'further options of Slurm\'s sbatch, for instance "--partition=gpu --time=2:00:00"',
    words,
  )
  .option("--command <words>", "how the nodes of a Ray cluster start this program (default: halftone)", words)
  .option("--detach", "return when the points are started; the same command without it collects the results")
  .addOption(new Option("--retry <which>", "run points again that have ended").choices(["failed", "all"]))
  .option("--max-failures <count>", "stop after this many failed points", count)
  .option("--time-budget <time>", "stop after this time, for instance 90, 30min or 2h", duration)
  .option("--timeout <seconds>", "stop a cell that runs longer than this", positive)
  .action(async (notebook, flags) => (await import("./sweep.ts")).sweep(notebook, flags));

program
  .command("sweep-point", { hidden: true })
  .description("run points of a sweep's plan in this process; executors start it on other machines")
  .argument("<planned>", "a folder with plan.json and source.ipynb")
  .argument("[id...]", "points of the plan; without any, only whether this machine can run them")
  .option("--missing", "leave out points that have a result")
  .option("--store <folder>", "where results go (default: the folder of the plan)")
  .option("--folder <folder>", "the notebook's folder (default: as the plan names it)")
  .option("--timeout <seconds>", "stop a cell that runs longer than this", positive)
  .action(async (planned, ids, flags) => (await import("./sweep-point.ts")).sweepPoint(planned, ids, flags));

program
  .command("train")
  .description(
    "train with several worker processes, on one or several machines, each of which runs the script or notebook",
  )
  .argument("<script|notebook>", "a .ts or .js file, or a notebook (.ipynb)")
  .argument("[args...]", "a script's own arguments, after --")
  .option("--workers <count>", "workers on this machine, which share its cores, or on a Ray cluster with --on", count)
  .option(
    "--hosts <file>",
    "workers on several machines: lines HOST[:PORT] [workers=N]; run the command on each of them",
  )
  .option("--host <name>", "this machine's name in that file (default: found by its addresses)")
  .option("--on <place>", "ray://HOST of a Ray cluster's dashboard, on which the workers run")
  .option("--cpus <count>", "what Ray sets aside for each worker (default: 1)", amount)
  .option("--command <words>", "how the nodes of a Ray cluster start this program (default: halftone)", words)
  .option("--timeout <seconds>", "an error after waiting this long for another worker (default: 600)", positive)
  .option("-p, --parameter <name=value>", "set a notebook's parameter, as in `run`", collect)
  .option("-r, --raw <name=text>", "set a notebook's parameter to this text, not converted", collect)
  .option("-f, --parameters-file <file>", "set a notebook's parameters from a JSON file")
  .option("-o, --output <path>", "the executed notebook of the first worker (default: NAME.executed.ipynb)")
  .action(async (program, args, flags) => (await import("./train.ts")).train(program, args, flags));

program
  .command("train-worker", { hidden: true })
  .description("run one worker of a training in this process; the nodes of a Ray cluster are told to")
  .argument("<folder>", "a folder with training.json and files")
  .option("--rank <number>", "which worker; without it, only whether this machine can run one", integer)
  .option("--addresses <list>", "host:port of all workers")
  .action(async (folder, flags) => (await import("./train-worker.ts")).trainWorker(folder, flags));

program
  .command("report")
  .description("write a notebook as one HTML page that works offline")
  .argument("<notebook>", "an .ipynb file, executed or not")
  .option("-o, --output <path>", "the page (default: NAME.html beside the notebook)")
  .action(async (file, flags) => (await import("./report.ts")).report(file, flags));

program
  .command("images")
  .description("write a copy in which every plotly figure has a PNG beside it, for nbconvert to LaTeX or PDF")
  .argument("<notebook>", "an executed notebook")
  .option("-o, --output <file>", "the copy (default: NAME.images.ipynb beside the notebook)")
  .action(async (file, flags) => (await import("./images.ts")).images(file, flags));

program
  .command("verify")
  .description("rerun an executed notebook under the recorded conditions and report the cells whose outputs differ")
  .argument("<report>", "an executed notebook that `halftone run` wrote")
  .option("--tolerance <share>", "allowed relative difference of numbers (default: 0; on another machine 0.001)", share)
  .option("--folder <folder>", "the folder to run in (default: the folder in which the notebook was run)")
  .option("--timeout <seconds>", "stop a cell that runs longer than this", positive)
  .action(async (file, flags) => (await import("./verify.ts")).verify(file, flags));

program
  .command("assign")
  .description("make the student version of an nbgrader assignment, with stubs for solutions and without hidden tests")
  .argument("<notebook|folder>", "the instructor version")
  .requiredOption("-o, --output <path>", "the student version: a notebook or a folder")
  .action(async (source, flags) => (await import("./assign.ts")).assign(source, flags));

program
  .command("setup")
  .description("build the native TensorFlow runtime for this user, unless it is already built")
  .action(async () => (await import("./setup.ts")).setup());

program
  .command("doctor")
  .description("report what this machine has, which backend is used and why, and how to install what is missing")
  .action(async () => (await import("./doctor.ts")).doctor());

for (const [name, description] of [
  ["install", "register the kernel with Jupyter"],
  ["uninstall", "remove what `install` wrote"],
] as const) {
  const command = program
    .command(name)
    .description(description)
    .option("--sys-prefix", "install into the active Python environment instead of for the user")
    .option("--prefix <folder>", "install under FOLDER/share/jupyter/kernels")
    .action(async (options) => (await import("./install.ts"))[name](options));
  if (name === "install")
    command.option(
      "--types <policy>",
      "what to do with type errors: error (the cell does not run; default), warn or off",
    );
}

program
  .command("list")
  .description("list the places where Jupyter finds the kernel")
  .action(async () => (await import("./install.ts")).list());

program
  .command("lab [args...]")
  .description(
    "start JupyterLab with the kernel, in a Python environment that Halftone manages; ARGS go to `jupyter lab`",
  )
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args) => (await import("./lab.ts")).lab(args));

program
  .command("kernel <connection-file>")
  .description("start the kernel with a front end's connection file")
  .action(async (file) => (await import("./kernel.ts")).kernel(file));

program
  .command("check <notebooks...>")
  .description("type-check notebooks without running them: one line per error, exit status 1 if there are any")
  .option("--order", "also report outputs that Restart and Run All would not give, by names and execution counts")
  .action(async (files, flags) => (await import("./check.ts")).check(files, flags));

program
  .command("export <notebook>")
  .description("write a notebook as one TypeScript module that passes tsc")
  .option("-o, --output <file>", "the module, or - for standard output (default: the notebook's name with .ts)")
  .action(async (file, options) => (await import("./export.ts")).exportNotebook(file, options));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = statusFor(error);
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It should be a number of seconds above 0.");
  return value;
}

function amount(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It should be a number above 0.");
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value < 1))
    throw new InvalidArgumentError("It should be a number from 0 and below 1.");
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It should be a whole number above 0.");
  return value;
}

function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError("It should be a time such as 90, 30min or 2h.");
  return seconds;
}

function bytes(text: string): number {
  try {
    return parseBytes(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function integer(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value)) throw new InvalidArgumentError("It should be an integer.");
  return value;
}

/** Prints only the message of a `UserError`. Any other error is a bug in Halftone and is printed with its stack. */
function statusFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  console.error(error instanceof UserError ? error.message : error);
  return error instanceof UserError ? error.status : 1;
}
