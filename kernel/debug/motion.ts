/** How the program goes on: V8's steps, of which one step of the person may take several, and pauses. */
import type { Protocol } from "devtools-protocol";
import { cellUrl } from "../protocol/cell-url.ts";
import type { CellScript } from "../session/debugging.ts";
import type { HostInspector } from "../session/inspector.ts";
import { furtherStep } from "./frames.ts";
import type { Scripts } from "./scripts.ts";
import type { Reason } from "./stop.ts";
import { isAsyncGeneratorAt } from "./syntax.ts";
import { TemporaryBreakpoints } from "./temporary-breakpoints.ts";

/** V8's requests. */
export type Move = "resume" | "stepOver" | "stepInto" | "stepOut";

type Paused = Protocol.Debugger.PausedEvent;
type CallFrame = Protocol.Debugger.CallFrame;

/** Code that stepping passes over: Node's own, the kernel's, and packages. */
const kernelCode = [`^${escaped(new URL("../", import.meta.url).href)}`];
const libraryCode = `^${escaped(new URL("../../src/", import.meta.url).href)}`;
const othersCode = ["^node:", "/node_modules/", libraryCode, ...kernelCode];
/** V8's steps that one step of the person may take. */
const mostSteps = 200;
/** V8's steps from Node's code to the person's, when a pause finds Node's: V8 cannot pass over what it loaded from its snapshot. */
const mostStepsOfPause = 1000;
/** Milliseconds. */
const pauseAgainAfter = 50;

export class Motion {
  readonly #inspector: HostInspector;
  readonly #scripts: Scripts;
  readonly #runsCells: () => boolean;
  readonly #temporary: TemporaryBreakpoints;
  /** The step that the person asked for, while V8 takes it. */
  #step: { move: Move; count: number; reason: Reason } | undefined;
  #isPausing = false;
  #isClosed = false;
  #blackboxed: readonly string[] | undefined;
  #stopsAtExceptions = false;

  constructor(inspector: HostInspector, scripts: Scripts, runsCells: () => boolean) {
    this.#inspector = inspector;
    this.#scripts = scripts;
    this.#runsCells = runsCells;
    this.#temporary = new TemporaryBreakpoints(inspector);
  }

  get isPausing(): boolean {
    return this.#isPausing;
  }

  /** Whether V8 would stop at the next code that it meets. */
  get isPending(): boolean {
    return this.#isPausing || this.#step !== undefined;
  }

  /** Why the program stops at the end of the present step. */
  get stepReason(): Reason | undefined {
    return this.#step?.reason;
  }

  close(): void {
    this.#isClosed = true;
    this.#isPausing = false;
  }

  async stopAtExceptions(wanted: boolean): Promise<void> {
    this.#stopsAtExceptions = wanted;
    await this.#blackbox("resume");
    // V8 takes every exception of a cell as caught, because the host catches it.
    await this.#inspector.post("Debugger.setPauseOnExceptions", { state: wanted ? "all" : "none" });
  }

  /** Moves the program from this stop, as the person asks. */
  async move(move: Move, stop: Paused): Promise<void> {
    this.#step = move === "resume" ? undefined : { move, count: 0, reason: { reason: "step" } };
    await this.#take(move, stop);
  }

  /** Goes on as before a stop that is not for the person. */
  async goOn(stop: Paused): Promise<void> {
    await this.#take(this.#step?.move ?? "resume", stop);
  }

  /** Goes on when the program is not where a person's step, or a pause, may end; false when it is. */
  async goesFurther(stop: Paused, reason: Reason): Promise<boolean> {
    const [top, ...below] = stop.callFrames;
    const further = top && furtherStep(top, below, this.#scripts);
    if (!further) {
      await this.#temporary.remove();
      return false;
    }
    const count = (this.#step?.count ?? 0) + 1;
    if (further === "resume" && !(this.#isPausing && this.#runsCells() && count < mostStepsOfPause)) {
      this.#step = undefined;
      await this.#post("resume");
      return true;
    }
    const move = further === "resume" ? "stepInto" : further;
    if (move === further && count > (this.#isPausing ? mostStepsOfPause : mostSteps)) return false;
    this.#step = { move, count, reason };
    await this.#take(move, stop);
    return true;
  }

  /** The program has stopped for the person. */
  async stopped(): Promise<void> {
    this.#step = undefined;
    if (this.#isPausing) await this.#tellPausing(false);
    this.#isPausing = false;
  }

  async pause(): Promise<void> {
    if (this.#isPausing) return;
    this.#isPausing = true;
    await Promise.all([this.#tellPausing(true), this.#inspector.post("Debugger.pause")]);
    this.#pauseAgain(pauseAgainAfter);
  }

  /** A pause that was asked for while nothing ran stops at the cell's start; a step that an interrupt has cut off does not. */
  async beforeCell({ id }: CellScript): Promise<void> {
    if (this.#step && !this.#runsCells()) {
      this.#step = undefined;
      await this.#meetCode();
    }
    if (this.#isPausing) await this.#temporary.set({ url: cellUrl(id), lineNumber: 0, columnNumber: 0 });
  }

  /** Lets the program go on for good. A step or a pause that has met no code yet would hold it: gives it code to meet. */
  async leave(): Promise<void> {
    this.#isPausing = false;
    this.#step = undefined;
    await settled(this.#inspector.post("Debugger.setBreakpointsActive", { active: false }));
    await settled(this.#inspector.post("Debugger.setPauseOnExceptions", { state: "none" }));
    await settled(this.#inspector.post("Debugger.resume"));
    await settled(this.#tellPausing(false));
    await this.#meetCode();
    // Node runs JavaScript of its own at the end of asynchronous stacks. In the session's end nothing could let that go on.
    await settled(this.#inspector.post("Debugger.setAsyncCallStackDepth", { maxDepth: 0 }));
  }

  /** Ends a step or a pause that V8 would end at the next code. */
  async #meetCode(): Promise<void> {
    await settled(this.#inspector.post("Runtime.evaluate", { expression: "(()=>0)()", silent: true }));
  }

  /** V8 loses a pause that finds Node's own code, or no code: asks until the program has stopped. */
  #pauseAgain(after: number): void {
    setTimeout(() => {
      if (!this.#isPausing || this.#isClosed) return;
      this.#inspector.post("Debugger.pause").catch(() => {});
      this.#pauseAgain(Math.min(1000, after * 2));
    }, after).unref();
  }

  /** Conditions of breakpoints look at this too, because a pause that comes while V8 evaluates one is lost. */
  async #tellPausing(isPausing: boolean): Promise<void> {
    const expression = `${this.#inspector.hostName}_debug.pause(${isPausing})`;
    await this.#inspector.post("Runtime.evaluate", { expression, silent: true });
  }

  async #take(move: Move, stop: Paused): Promise<void> {
    const [top] = stop.callFrames;
    // V8 of Node 20 aborts the process when a step out of an async generator comes to a yield.
    if (move === "stepOut" && top && (await this.#isInAsyncGenerator(top))) {
      await this.#temporary.setAround(this.#waitingFor(stop));
      await this.#post("resume");
    } else await this.#post(move);
  }

  async #isInAsyncGenerator({ location }: CallFrame): Promise<boolean> {
    const map =
      this.#scripts.own(location.scriptId)?.map ?? (await this.#scripts.textOf(location.scriptId, this.#inspector));
    return isAsyncGeneratorAt(map.text, map.offsetOf(location));
  }

  /** Where the person's code goes on that waits for the top frame; undefined when none does. */
  #waitingFor({ callFrames, asyncStackTrace }: Paused): Protocol.Debugger.Location | undefined {
    const isOwn = ({ scriptId }: { scriptId: string }) => this.#scripts.own(scriptId) !== undefined;
    const caller = callFrames.slice(1).find(({ location }) => isOwn(location));
    if (caller) return caller.functionLocation ?? caller.location;
    for (let trace = asyncStackTrace; trace; trace = trace.parent) {
      const found = trace.callFrames.find(isOwn);
      if (found) return found;
    }
    return undefined;
  }

  async #post(move: Move): Promise<void> {
    await this.#blackbox(move);
    await this.#inspector.post(`Debugger.${move}`);
  }

  /** An exception in a package counts as one at the call of it, which V8 tells only of code that it does not pass over. */
  async #blackbox(move: Move): Promise<void> {
    const patterns = !this.#stopsAtExceptions || move === "stepInto" ? othersCode : kernelCode;
    if (this.#blackboxed === patterns) return;
    this.#blackboxed = patterns;
    await this.#inspector.post("Debugger.setBlackboxPatterns", { patterns: [...patterns], skipAnonymous: true });
  }
}

/** Waits for a request that may be refused, because the program runs or is gone. */
export async function settled(request: Promise<unknown>): Promise<void> {
  await request.catch(() => {});
}

/** A text as a regular expression. */
export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
