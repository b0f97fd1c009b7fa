import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { getHeapStatistics } from "node:v8";
import { Worker } from "node:worker_threads";
import { FrameReader } from "../protocol/frames.ts";
import { type Command, fds, type HostOptions, optionsVariable } from "../protocol/host.ts";
import { installStackTraces } from "./errors/stack.ts";
import { call } from "./io/calls.ts";
import { installComms } from "./io/comm.ts";
import { installConsole } from "./io/console.ts";
import { installDisplay } from "./io/display.ts";
import { answer, installInput } from "./io/input.ts";
import { readCommand, sendEvent, useMarker } from "./io/output-buffer.ts";
import { installProgress } from "./io/progress.ts";
import { installUsage } from "./io/usage.ts";
import { installIntrospection } from "./live-values.ts";
import { Loader } from "./load/load.ts";
import { installMagics } from "./magics/host.ts";
import { defineProperty } from "./primordials.ts";
import { Evaluator } from "./run/evaluate.ts";
import { endGroup } from "./run/exit.ts";
import { makeShared } from "./run/shared.ts";

const options = JSON.parse(process.env[optionsVariable]!) as HostOptions;
delete process.env[optionsVariable];
process.title = "halftone host";
useMarker(options.markerToken);

const shared = makeShared();
const guard = new Worker(new URL("./run/interrupt-thread.js", import.meta.url), {
  workerData: { shared, hostName: options.hostName, heapLimit: getHeapStatistics().heap_size_limit },
  env: {},
  execArgv: [],
});
guard.on("error", (error) => {
  throw error;
});

installConsole();
installDisplay();
installInput();
installStackTraces();
installComms();
installMagics();
installProgress();
installUsage();
const evaluator = new Evaluator(options.hostName, new Loader(options.cwd, options.packages), shared);
installIntrospection(options.hostName);

const reader = new FrameReader();
const commands = new Socket({ fd: fds.commands, readable: true, writable: false });
// Streams emit through their prototype, which a cell may replace.
defineProperty(commands, "emit", { value: EventEmitter.prototype.emit });
commands.on("data", (chunk: Buffer) => {
  const frames = reader.read(chunk);
  for (let index = 0; index < frames.length; index++) {
    const command = readCommand<Command>(frames[index]!.body);
    if (command.type === "execute") evaluator.execute(command);
    else if (command.type === "call") void call(command);
    else answer(command);
  }
});
commands.on("close", endGroup);
sendEvent({ type: "ready", node: process.version });
