#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { UserError } from "../base/user-error.ts";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("halftone")
  .description("A Jupyter kernel for TypeScript, and the tensor library that its notebooks use")
  .version(version)
  .showHelpAfterError("(halftone --help says more)")
  .enablePositionalOptions()
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
  .option("-r, --raw <name=text>", "set a parameter to this very text", collect)
  .option("-f, --parameters-file <file>", "set parameters from a JSON file")
  .option("--allow-errors", "go on after a cell that fails")
  .option("--timeout <seconds>", "stop a cell that runs longer", positive)
  .option("--fresh", "run also the notebooks whose executed copy is complete and would come out the same")
  .option("--lock", "write the exact versions of imported packages and of what they need to NAME.lock.json")
  .option(
    "--from-lock <file>",
    "install a lock's packages in a folder of their own, without their scripts, and run with them",
  )
  .option("--jobs <count>", "notebooks to run at once (default: 2 where each has a core and 3 GiB, 1 on a GPU)", count)
  .action(async (inputs, flags) => (await import("./run.ts")).run(inputs, flags));

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
  .description("run an executed notebook again as it was run, and say which cells come out otherwise")
  .argument("<report>", "an executed notebook that `halftone run` wrote")
  .option("--tolerance <share>", "how far numbers may be apart (default: not at all; on another machine 0.001)", share)
  .option("--folder <folder>", "where its cells run (default: where the notebook was run)")
  .option("--timeout <seconds>", "stop a cell that runs longer", positive)
  .action(async (file, flags) => (await import("./verify.ts")).verify(file, flags));

program
  .command("assign")
  .description("make the students' version of an nbgrader assignment: stubs for solutions, no hidden tests; no Python")
  .argument("<notebook|folder>", "the teacher's version")
  .requiredOption("-o, --output <path>", "the students' version: a notebook or a folder")
  .action(async (source, flags) => (await import("./assign.ts")).assign(source, flags));

program
  .command("setup")
  .description("find, or build once for this user, the native TensorFlow runtime")
  .action(async () => (await import("./setup.ts")).setup());

program
  .command("doctor")
  .description("say what was found on this machine, what is used and why, and what to do about what is missing")
  .action(async () => (await import("./doctor.ts")).doctor());

for (const [name, description] of [
  ["install", "make the kernel known to Jupyter"],
  ["uninstall", "remove what `install` wrote"],
] as const) {
  const command = program
    .command(name)
    .description(description)
    .option("--sys-prefix", "in the active Python environment, not for the user")
    .option("--prefix <folder>", "under this folder, as in FOLDER/share/jupyter/kernels")
    .action(async (options) => (await import("./install.ts"))[name](options));
  if (name === "install")
    command.option("--types <policy>", "a cell with type errors: error (does not run; the default), warn or off");
}

program
  .command("list")
  .description("say where Jupyter finds the kernel")
  .action(async () => (await import("./install.ts")).list());

program
  .command("lab [args...]")
  .description("start JupyterLab with the kernel, without a Jupyter of your own; ARGS go to `jupyter lab`")
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args) => (await import("./lab.ts")).lab(args));

program
  .command("kernel <connection-file>")
  .description("start the kernel for a front end that wrote this connection file")
  .action(async (file) => (await import("./kernel.ts")).kernel(file));

program
  .command("check <notebooks...>")
  .description("type-check notebooks without running them; a line for each error, exit status 1 when there are any")
  .action(async (files) => (await import("./check.ts")).check(files));

program
  .command("export <notebook>")
  .description("write a notebook as one TypeScript module that passes tsc")
  .option("-o, --output <file>", "where to; - for standard output. Default: the notebook's name with .ts")
  .action(async (file, options) => (await import("./export.ts")).exportNotebook(file, options));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = statusFor(error);
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It should be a number of seconds above 0.");
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

/** A `UserError` is told in a line or two. Anything else is a fault of ours and is shown with its stack. */
function statusFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  console.error(error instanceof UserError ? error.message : error);
  return error instanceof UserError ? error.status : 1;
}
