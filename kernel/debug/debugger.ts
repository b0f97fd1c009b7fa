/** The debugger of one session: attaches to V8 in the host, stops and moves the program, and says so. */
import type { Protocol } from "devtools-protocol";
import type { Output } from "../protocol/output.ts";
import type { AttachedDebugger, CellScript } from "../session/debugging.ts";
import type { HostInspector, InspectorEvent } from "../session/inspector.ts";
import type { Session } from "../session/session.ts";
import { Breakpoints } from "./breakpoints.ts";
import { evaluateGlobally } from "./evaluation.ts";
import { type ExceptionMode, exceptionReason } from "./exceptions.ts";
import { Motion, type Move, settled } from "./motion.ts";
import { OutputsBefore } from "./outputs-before.ts";
import { Refusal } from "./refusal.ts";
import { Scripts } from "./scripts.ts";
import { Sources, targetOf } from "./sources.ts";
import { type Reason, Stop } from "./stop.ts";
import { Variables } from "./variables.ts";

/** The one thread that there is. */
export const threadId = 1;

type DapEvent = (event: string, body?: object) => void;

/** References to variables outside of a stop begin here. */
const firstExplored = 2 ** 30;

interface Attached {
  inspector: HostInspector;
  scripts: Scripts;
  explored: Variables;
  motion: Motion;
}

export class Debugger implements AttachedDebugger {
  readonly sources: Sources;
  readonly breakpoints: Breakpoints;
  /** Whether the front end wants the types of variables. */
  showsTypes = true;
  readonly #session: Session;
  readonly #emit: DapEvent;
  #attached: Attached | undefined;
  /** Until then V8 stops nowhere. */
  #ready: Promise<void> = Promise.resolve();
  #stop: Stop | undefined;
  /** How often the program has gone on. An interrupt may let it go on before a pause has been looked at. */
  #resumptions = 0;
  #exceptions: ExceptionMode = "none";
  readonly #outputs = new OutputsBefore();
  /** Whether a debugger that detaches lets everything pass. */
  #isLeaving = false;

  constructor(session: Session, emit: DapEvent) {
    this.#session = session;
    this.sources = new Sources(session);
    this.#emit = emit;
    this.breakpoints = new Breakpoints((breakpoint) => emit("breakpoint", { reason: "changed", breakpoint }));
  }

  get isAttached(): boolean {
    return this.#attached !== undefined;
  }

  get isStopped(): boolean {
    return this.#stop !== undefined;
  }

  /** Throws a `Refusal` while the program runs. */
  get stop(): Stop {
    if (!this.#stop) throw new Refusal("The program is not stopped.");
    return this.#stop;
  }

  /** Throws a `Refusal` while no debugger is attached. */
  get attached(): Attached {
    if (!this.#attached) throw new Refusal("No debugger is attached: send initialize and attach first.");
    return this.#attached;
  }

  attach(): Promise<void> {
    if (!this.#attached) this.#ready = this.#connect();
    return this.#ready;
  }

  async #connect(): Promise<void> {
    const inspector = this.#session.openInspector((event) => this.#receive(event));
    const scripts = new Scripts(this.sources.cells, () => this.#session.scripts);
    const explored = new Variables(
      inspector,
      (expression) => evaluateGlobally(inspector, expression),
      (name) => this.sources.isOwnName(name),
      firstExplored,
    );
    const motion = new Motion(inspector, scripts, () => this.#session.isRunning);
    const attached: Attached = { inspector, scripts, explored, motion };
    this.#attached = attached;
    this.#session.debugger = this;
    try {
      await this.#setUp(attached);
    } catch (error) {
      if (this.#attached === attached) await this.detach();
      throw error;
    }
  }

  async #setUp(attached: Attached): Promise<void> {
    const { inspector, scripts, motion } = attached;
    this.breakpoints.attach({
      set: (request) => inspector.post("Debugger.setBreakpointByUrl", request),
      remove: (breakpointId) => inspector.post("Debugger.removeBreakpoint", { breakpointId }),
      placeOf: ({ scriptId, ...at }, map) => scripts.place(scriptId, at, map),
    });
    await inspector.post("Debugger.enable");
    await inspector.post("Debugger.setAsyncCallStackDepth", { maxDepth: 32 });
    await motion.stopAtExceptions(this.#exceptions !== "none");
    for (const path of this.breakpoints.paths)
      for (const target of this.sources.targets(path, attached)) await this.breakpoints.applyTo(path, target);
  }

  /** Stopped code goes on, and nothing stops any more. What was asked to stop at is kept. */
  async detach(): Promise<void> {
    const attached = this.#attached;
    if (!attached) return;
    if (this.#stop || attached.motion.isPending) {
      this.#isLeaving = true;
      // Before the program goes on, because the cell may end at once.
      this.#goesOn();
      await attached.motion.leave();
      this.#isLeaving = false;
    }
    if (this.#attached !== attached) return;
    this.#forget();
    this.#session.debugger = undefined;
    attached.inspector.detach();
  }

  /** Says so at once: V8's own event may arrive after the end of the cell, which comes through another pipe. */
  interrupted(): void {
    this.#goesOn();
  }

  hostEnded(): void {
    this.#goesOn();
    this.#forget();
    void this.attach().catch((error: unknown) => console.error(`[halftone] the debugger could not attach: ${error}`));
  }

  [Symbol.dispose](): void {
    void this.detach();
    this.sources[Symbol.dispose]();
  }

  async beforeCell(cell: CellScript, onOutput: (output: Output) => void): Promise<void> {
    await settled(this.#ready);
    // An interrupt may have ended the stop: V8 tells of it before it answers.
    if (this.#stop) await settled(this.attached.inspector.post("Runtime.getIsolateId"));
    if (this.#stop) {
      const where = this.#stop.frames[0]?.script.source.name ?? "the program";
      const text = `The debugger has stopped in ${where}: this cell runs when that has gone on.\n`;
      onOutput({ type: "stream", name: "stderr", text });
    }
    if (!this.#attached) return;
    const { motion, scripts } = this.#attached;
    const { path } = scripts.sourceOf(cell);
    try {
      await motion.beforeCell(cell);
      if (this.breakpoints.paths.includes(path)) await this.breakpoints.applyTo(path, targetOf(cell, scripts));
    } catch (error) {
      console.error(`[halftone] a breakpoint was not set: ${error}`);
    }
  }

  logged(point: number, text: string): void {
    const place = this.breakpoints.logPoint(point);
    const where = place && { source: { path: place.path }, line: place.line };
    this.#emit("output", { category: "console", output: `${text}\n`, ...where });
  }

  wroteBefore(stop: number): void {
    this.#outputs.came(stop);
  }

  /** Lets the program go on. A step out of a cell itself runs it to its end. */
  async move(wanted: Move): Promise<void> {
    const { frames, event } = this.stop;
    const move = wanted === "stepOut" && frames[0]?.isTop ? "resume" : wanted;
    this.#stop = undefined;
    // First, and for a step too, because the cell may end at once.
    this.#emit("continued", { threadId, allThreadsContinued: true });
    await this.attached.motion.move(move, event);
  }

  async pause(): Promise<void> {
    if (this.#stop) throw new Refusal("The program is stopped already.");
    await this.attached.motion.pause();
  }

  async setExceptions(mode: ExceptionMode): Promise<void> {
    this.#exceptions = mode;
    await this.#attached?.motion.stopAtExceptions(mode !== "none");
  }

  /** Where a reference belongs: to the present stop, or to no stop. */
  variablesOf(reference: number): Variables {
    return reference > firstExplored ? this.attached.explored : this.stop.variables;
  }

  /** The names of the person's properties of the global object. */
  async globals(): Promise<string[]> {
    const { inspector } = this.attached;
    const expression = `${inspector.hostName}_debug.globals()`;
    const { result } = await inspector.post("Runtime.evaluate", { expression, returnByValue: true, silent: true });
    return Array.isArray(result.value) ? (result.value as string[]) : [];
  }

  #receive(event: InspectorEvent): void {
    const scripts = this.#attached?.scripts;
    if (event.method === "Debugger.scriptParsed") scripts?.add(event.params);
    else if (event.method === "Debugger.breakpointResolved") this.breakpoints.resolved(event.params);
    else if (event.method === "Debugger.resumed") {
      this.#resumptions++;
      this.#goesOn();
    } else if (event.method === "Debugger.paused") {
      const before = this.#resumptions;
      void this.#paused(event.params).catch((error: unknown) => {
        if (this.#resumptions !== before) return;
        console.error(`[halftone] the debugger went on: ${error}`);
        this.#attached?.inspector.post("Debugger.resume").catch(() => {});
      });
    }
  }

  /** Tells the front end of a stop that is for it; else lets the program go on. */
  async #paused(event: Protocol.Debugger.PausedEvent): Promise<void> {
    const { scripts, inspector, motion } = this.attached;
    const before = this.#resumptions;
    if (this.#isLeaving) return motion.goOn(event);
    let reason: Reason | undefined;
    if (event.reason === "exception" || event.reason === "promiseRejection") {
      reason = await exceptionReason(event, this.#exceptions, scripts, inspector);
      if (!reason) return motion.goOn(event);
    } else {
      reason = this.#reasonOf(event, motion);
      if (await motion.goesFurther(event, reason)) return;
    }
    await motion.stopped();
    if (this.#resumptions !== before) return;
    const stop = new Stop(event, reason, inspector, scripts, (name) => this.sources.isOwnName(name));
    if (stop.frames.length === 0) return motion.goOn(event);
    this.#stop = stop;
    await this.#outputs.before(inspector);
    // An interrupt may have ended it.
    if (this.#stop !== stop) return;
    stop.isTold = true;
    const { exception, isUncaught, ...told } = reason;
    this.#emit("stopped", { ...told, threadId, allThreadsStopped: true });
  }

  #reasonOf({ hitBreakpoints = [] }: Protocol.Debugger.PausedEvent, { isPausing, stepReason }: Motion): Reason {
    if (isPausing) return { reason: "pause" };
    // The others are the debugger's own.
    const hitBreakpointIds = this.breakpoints.idsOf(hitBreakpoints);
    if (hitBreakpointIds.length > 0) return { reason: "breakpoint", hitBreakpointIds };
    if (stepReason) return stepReason;
    return { reason: "breakpoint", description: "Stopped at a debugger statement" };
  }

  /** The program has gone on by something else than a request: an interrupt, the host's end. */
  #goesOn(): void {
    const stop = this.#stop;
    this.#stop = undefined;
    if (stop?.isTold) this.#emit("continued", { threadId, allThreadsContinued: true });
  }

  #forget(): void {
    this.#attached?.motion.close();
    this.#attached = undefined;
    this.#stop = undefined;
    this.breakpoints.detach();
  }
}
