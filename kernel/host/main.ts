import { Socket } from "node:net";
import { getHeapStatistics } from "node:v8";
import { MessageChannel, Worker } from "node:worker_threads";
import { FrameReader } from "../protocol/frames.ts";
import { type Command, fds, type HostOptions, optionsVariable } from "../protocol/host.ts";
import { installDebugHooks } from "./debug.ts";
import { installStackTraces } from "./errors/stack.ts";
import { installInspect } from "./inspect.ts";
import { call } from "./io/calls.ts";
import { installComms } from "./io/comm.ts";
import { installConsole } from "./io/console.ts";
import { installDisplay } from "./io/display.ts";
import { answer, installInput } from "./io/input.ts";
import { readCommand, sendEvent, useMarker } from "./io/output-buffer.ts";
import { installProgress } from "./io/progress.ts";
import { installPrompt } from "./io/prompt.ts";
import { installUsage } from "./io/usage.ts";
import { installWidgets } from "./io/widgets.ts";
import { installIntrospection } from "./live-values.ts";
import { Loader } from "./load/load.ts";
import { installMagics } from "./magics/host.ts";
import { defineProperty } from "./primordials.ts";
import { Evaluator } from "./run/evaluate.ts";
import { endGroup } from "./run/exit.ts";
import { giveUp } from "./run/give-up.ts";
import { makeShared } from "./run/shared.ts";

const options = JSON.parse(process.env[optionsVariable]!) as HostOptions;
delete process.env[optionsVariable];
process.title = "halftone host";
useMarker(options.markerToken);

const shared = makeShared();
const answers = new MessageChannel();
const guard = new Worker(new URL("./run/interrupt-thread.js", import.meta.url), {
  workerData: {
    shared,
    hostName: options.hostName,
    heapLimit: getHeapStatistics().heap_size_limit,
    answers: answers.port2,
  },
  transferList: [answers.port2],
  env: {},
  execArgv: [],
});
guard.on("error", (error) => {
  throw error;
});

installConsole();
installDisplay();
installInput();
installPrompt(shared, answers.port1);
installStackTraces();
installComms();
installMagics();
installWidgets(options.hostName);
installProgress();
installUsage();
const evaluator = new Evaluator(options.hostName, new Loader(options), shared);
installIntrospection(options.hostName);
installDebugHooks(options.hostName);
installInspect();

const reader = new FrameReader();
const commands = new Socket({ fd: fds.commands, readable: true, writable: false });
keepMethods(commands);
commands.on("data", (chunk: Buffer) => {
  try {
    const frames = reader.read(chunk);
    for (let index = 0; index < frames.length; index++) obey(readCommand<Command>(frames[index]!.body));
  } catch (error) {
    giveUp(error);
  }
});
commands.on("close", endGroup);
sendEvent({ type: "ready", node: process.version });

function obey(command: Command): void {
  if (command.type === "execute") evaluator.execute(command);
  else if (command.type === "call") void call(command);
  else answer(command);
}

/** Gives a stream the methods of its prototypes, which a cell may replace. */
function keepMethods(stream: object): void {
  for (let from: object = stream; from !== Object.prototype; from = Object.getPrototypeOf(from) as object)
    for (const name of Reflect.ownKeys(from))
      if (!Object.hasOwn(stream, name)) defineProperty(stream, name, Object.getOwnPropertyDescriptor(from, name)!);
}
