import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { getHeapStatistics } from "node:v8";
import { Worker } from "node:worker_threads";
import { installMagics } from "../magics/host.ts";
import { call } from "./calls.ts";
import { installComms } from "./comm.ts";
import { installConsole } from "./console.ts";
import { installDisplay } from "./display.ts";
import { Evaluator } from "./evaluate.ts";
import { endGroup } from "./exit.ts";
import { FrameReader } from "./frames.ts";
import { answer, installInput } from "./input.ts";
import { installIntrospection } from "./introspect.ts";
import { Loader } from "./load.ts";
import { readCommand, sendEvent, useMarker } from "./outbox.ts";
import { defineProperty } from "./primordials.ts";
import { installProgress } from "./progress.ts";
import { type Command, fds, type HostOptions, optionsVariable } from "./protocol.ts";
import { makeShared } from "./shared.ts";
import { installStackTraces } from "./stack.ts";
import { installUsage } from "./usage.ts";

const options = JSON.parse(process.env[optionsVariable]!) as HostOptions;
delete process.env[optionsVariable];
process.title = "halftone host";
useMarker(options.markerToken);

const shared = makeShared();
const guard = new Worker(new URL("./guard.js", import.meta.url), {
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
