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
  .showHelpAfterError("(run halftone --help for usage)")
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
  .action(async (files) => (await import("./check.ts")).check(files));

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

/** Prints only the message of a `UserError`. Any other error is a bug in Halftone and is printed with its stack. */
function statusFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  console.error(error instanceof UserError ? error.message : error);
  return error instanceof UserError ? error.status : 1;
}
