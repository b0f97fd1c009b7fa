/** The magics that a rewritten cell calls, in the host process. */
import { performance } from "node:perf_hooks";
import { MAGICS, ownCell } from "../../magics/names.ts";
import { defineProperty } from "../primordials.ts";
import { currentCell, type HostCell } from "../run/cells.ts";
import { duration } from "./duration.ts";

interface Started {
  wall: number;
  cpu: NodeJS.CpuUsage;
}

/** The timers that each cell has started. */
const started = new WeakMap<HostCell, Started>();

const hostApi = {
  async line(name: string, argument: string): Promise<void> {
    await (await import("./commands.ts")).runLine(name, argument);
  },

  async cell(name: string, argument: string, body: string): Promise<void> {
    await (await import("./commands.ts")).runCell(name, argument, body);
  },

  unknown(name: string, argument: string): never {
    if (ownCell.includes(name)) throw new SyntaxError(`${name} ${argument}`);
    throw new SyntaxError(`unknown magic ${name}: %help lists the magics`);
  },

  async time<T>(run: () => Promise<T>): Promise<T> {
    const start = begin();
    try {
      return await run();
    } finally {
      report(start);
    }
  },

  tic(): void {
    const cell = currentCell();
    if (cell) started.set(cell, begin());
  },

  toc(): void {
    const start = started.get(currentCell()!);
    if (start) report(start);
  },

  timeCell(): void {
    const start = begin();
    currentCell()?.atEnd.push(() => report(start));
  },

  async timeit(run: () => unknown): Promise<void> {
    await (await import("./timeit.ts")).timeit(run);
  },
};

export function installMagics(): void {
  defineProperty(globalThis, MAGICS, { value: Object.freeze(hostApi), enumerable: false });
}

function begin(): Started {
  return { wall: performance.now(), cpu: process.cpuUsage() };
}

function report({ wall, cpu }: Started): void {
  const elapsed = performance.now() - wall;
  const { user, system } = process.cpuUsage(cpu);
  console.log(`CPU time: ${duration((user + system) / 1000)}, wall time: ${duration(elapsed)}`);
}
