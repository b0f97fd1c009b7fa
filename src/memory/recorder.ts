import {
  type Allocation,
  type AllocationListener,
  addOpGuard,
  begin,
  categorize,
  currentProfileScope,
  engine,
  hooks,
  liveAllocations,
  type MemoryCategory,
  type OpGuard,
  observeLayers,
  onAllocation,
  settleCauses,
} from "../runtime/index.ts";
import { storageType } from "./holders.ts";

/** One allocation during a recording. */
export interface Piece {
  bytes: number;
  op: string;
  layer: string;
  type: string;
  cause: MemoryCategory;
}

/** The number of calls of an op or a layer, and their total time. */
export interface Run {
  calls: number;
  milliseconds: number;
}

export interface Recording {
  /** The allocations; those that were alive before the recording come first. */
  pieces: Piece[];
  before: number;
  /**
   * Allocations and releases in order: `i + 1` means that piece i was allocated, `-i - 1` that it was freed. `times` has
   * their times in milliseconds.
   */
  events: readonly number[];
  times: readonly number[];
  ops: Map<string, Run>;
  layers: Map<string, Run>;
  mostRss: number;
}

const RSS_EVERY = 10;

/** Records all allocations and releases of native memory until `end`. Needs some 100 bytes per op. */
export function record(): { end(): Recording; awaits(): void } {
  settleCauses();
  const start = performance.now();
  const numbers = new Map<Allocation, number>();
  const seen: { memory: Allocation; layer: string }[] = [];
  const events: number[] = [];
  const times: number[] = [];
  const ops = new Map<string, Run>();
  const layers = new Map<string, Run>();
  const scores = new Set<string>();
  let opAt = 0;
  let rssAt = start;
  let mostRss = process.memoryUsage.rss();

  const number = (memory: Allocation, layer: string): number => {
    const index = seen.push({ memory, layer }) - 1;
    numbers.set(memory, index);
    return index;
  };
  for (const memory of liveAllocations()) number(memory, "");
  const before = seen.length;

  const listener: AllocationListener = {
    taken(memory) {
      events.push(number(memory, currentProfileScope()) + 1);
      times.push(performance.now() - start);
    },
    freed(memory) {
      const index = numbers.get(memory);
      if (index === undefined) return;
      numbers.delete(memory);
      events.push(-index - 1);
      times.push(performance.now() - start);
    },
  };
  const opGuard: OpGuard = {
    before() {
      opAt = performance.now();
    },
    after({ name, inputs }) {
      const now = performance.now();
      count(ops, name, now - opAt);
      count(layers, currentProfileScope(), now - opAt);
      settleCauses(inputs);
      if (name === "Softmax" && isScores(inputs[0]!.shape)) scores.add(inputs[0]!.shape.join());
      if (now - rssAt < RSS_EVERY) return;
      rssAt = now;
      mostRss = Math.max(mostRss, process.memoryUsage.rss());
    },
  };
  let stops: (() => void)[] = [];
  const open = begin(
    () => {
      stops = [observeLayers(), watchTape(), onAllocation(listener), addOpGuard(opGuard)];
    },
    () => {
      for (const stop of stops) stop();
    },
  );
  return {
    awaits: open.awaits,
    end() {
      open.end();
      settleCauses();
      mostRss = Math.max(mostRss, process.memoryUsage.rss());
      const pieces = seen.map(({ memory, layer }) => ({
        bytes: memory.bytes,
        op: memory.op.name,
        layer,
        type: storageType(memory),
        cause: causeOf(memory, scores),
      }));
      return { pieces, before, events, times, ops, layers, mostRss };
    },
  };
}

/** Attention weights: `[batch, heads, time, time]`, or without heads `[batch, time, time]`. */
const isScores = (shape: readonly number[]): boolean =>
  shape.length > 3 || (shape.length === 3 && shape[1] === shape[2]);

function causeOf({ cause, shape }: Allocation, scores: ReadonlySet<string>): MemoryCategory {
  if (cause === "parameters" || cause === "gradients" || cause === "optimizer state") return cause;
  return scores.has(shape.join()) ? "attention scores" : (cause ?? "temporary");
}

function count(runs: Map<string, Run>, name: string, milliseconds: number): void {
  let run = runs.get(name);
  if (!run) {
    run = { calls: 0, milliseconds: 0 };
    runs.set(name, run);
  }
  run.calls++;
  run.milliseconds += milliseconds;
}

/** Categorizes memory. Tensors kept by the tape are activations, results of tfjs' `gradients` are gradients. */
function watchTape(): () => void {
  const undo = [
    hooks.kept.subscribe("profile", (tensor) => {
      if (engine.state.gradientDepth > 0) categorize("activations", [tensor]);
    }),
    hooks.gradients.subscribe("profile", (gradients) => (...args) => {
      const result = gradients(...args);
      categorize(
        "gradients",
        result.grads.filter((grad) => grad !== null && grad !== undefined),
      );
      return result;
    }),
  ];
  return () => {
    for (const each of undo) each();
  };
}
