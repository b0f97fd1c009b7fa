#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("halftone")
  .description("A Jupyter kernel for TypeScript, and the tensor library that its notebooks use")
  .version(version);

program
  .command("setup")
  .description("find, or build once for this user, the native TensorFlow runtime")
  .action(async () => (await import("./setup.ts")).setup());

program
  .command("doctor")
  .description("say what was found on this machine, what is used and why, and what to do about what is missing")
  .action(async () => (await import("./doctor.ts")).doctor());

await program.parseAsync();
