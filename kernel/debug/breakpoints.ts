/** What a person has asked to stop at, by source; kept over detaching, re-runs and the end of the host. */

import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Protocol } from "devtools-protocol";
import { conditionOf, type Requested, readRequested } from "./condition.ts";
import { type Placed, place, type SourceText } from "./placement.ts";
import type { Position, ScriptMap, ScriptPosition } from "./positions.ts";
import { Refusal } from "./refusal.ts";

interface Breakpoint extends Placed {
  id: number;
  requested: Requested;
  /** The numbers under which the host counts its hits: one for each run of its cell. */
  numbers: Map<string, number>;
}

/** One of V8's: V8 has one breakpoint at a place of a script, so it stands for all that are there. */
interface Remote {
  id: string;
  target: string;
  place: string;
  points: readonly Breakpoint[];
}

interface InSource {
  source: DebugProtocol.Source;
  points: Breakpoint[];
  remotes: Remote[];
}

/** Where in V8 a source's breakpoints go: a script that runs or has run, or each script of a file. */
export interface Target {
  map: ScriptMap;
  match: Pick<Protocol.Debugger.SetBreakpointByUrlRequest, "url" | "urlRegex">;
  host: string;
}

/** V8, while a debugger is attached. */
export interface BreakpointRemote {
  set(request: Protocol.Debugger.SetBreakpointByUrlRequest): Promise<Protocol.Debugger.SetBreakpointByUrlResponse>;
  remove(breakpointId: string): Promise<void>;
  /** The person's position of a place in a script; undefined when the script is not that of this map: an earlier version of a file. */
  placeOf(location: Protocol.Debugger.Location, map?: ScriptMap): Position | undefined;
}

export class Breakpoints {
  readonly #sources = new Map<string, InSource>();
  readonly #onChange: (changed: DebugProtocol.Breakpoint) => void;
  #remote: BreakpointRemote | undefined;
  #lastId = 0;
  #lastPoint = 0;
  /** Which breakpoint a number in a condition belongs to. */
  readonly #numbers = new Map<number, { path: string; point: Breakpoint }>();

  constructor(onChange: (changed: DebugProtocol.Breakpoint) => void) {
    this.#onChange = onChange;
  }

  /** The paths that have breakpoints. */
  get paths(): string[] {
    return [...this.#sources.keys()];
  }

  /** Replaces a source's breakpoints. Those that stay the same are kept, with their hit counts. */
  async set(
    path: string,
    source: DebugProtocol.Source,
    wanted: readonly DebugProtocol.SourceBreakpoint[],
    text: SourceText,
    targets: readonly Target[],
  ): Promise<DebugProtocol.Breakpoint[]> {
    const { points: before, remotes } = this.#sources.get(path) ?? { points: [], remotes: [] };
    const kept = new Set<Breakpoint>();
    const points = wanted.map((each): Breakpoint => {
      const requested = readRequested(each);
      const same = before.find((old) => !kept.has(old) && isSame(old.requested, requested));
      const placed = place(text, requested);
      const point = same ?? { id: ++this.#lastId, requested, numbers: new Map(), ...placed };
      if (same) Object.assign(same, placed);
      kept.add(point);
      return point;
    });
    const found: InSource = { source, points, remotes: [] };
    if (points.length > 0) this.#sources.set(path, found);
    else this.#sources.delete(path);
    for (const old of before)
      if (!kept.has(old)) for (const number of old.numbers.values()) this.#numbers.delete(number);
    for (const remote of remotes)
      if (remote.points.every((each) => kept.has(each))) found.remotes.push(remote);
      else await this.#remove(remote);
    for (const target of targets) await this.#apply(path, found, target);
    return points.map((each) => describe(each, source));
  }

  /** Sets a source's breakpoints in one more script. */
  async applyTo(path: string, target: Target): Promise<void> {
    const found = this.#sources.get(path);
    if (found) await this.#apply(path, found, target);
  }

  /** A debugger has attached. Each source's breakpoints are set when `applyTo` says where. */
  attach(remote: BreakpointRemote): void {
    this.#remote = remote;
  }

  /** V8 has forgotten all breakpoints. */
  detach(): void {
    this.#remote = undefined;
    this.#numbers.clear();
    for (const found of this.#sources.values()) {
      found.remotes = [];
      for (const { numbers } of found.points) numbers.clear();
    }
  }

  /** V8 has found the place in a script. */
  resolved({ breakpointId, location }: Protocol.Debugger.BreakpointResolvedEvent): void {
    for (const { remotes, source } of this.#sources.values())
      for (const { id, points } of remotes)
        if (id === breakpointId) for (const point of points) this.#move(point, source, location);
  }

  /** The ids of the breakpoints that V8 names. */
  idsOf(remote: readonly string[]): number[] {
    const all = [...this.#sources.values()].flatMap(({ remotes }) => remotes);
    return all.filter(({ id }) => remote.includes(id)).flatMap(({ points }) => points.map(({ id }) => id));
  }

  /** Where the log point with this number is. */
  logPoint(point: number): { path: string; line: number } | undefined {
    const found = this.#numbers.get(point);
    return found && { path: found.path, line: found.point.position?.line ?? found.point.requested.line };
  }

  /** For `debugInfo`: as they were asked for. */
  info(): { source: string; breakpoints: DebugProtocol.SourceBreakpoint[] }[] {
    return [...this.#sources].map(([path, { source, points }]) => ({
      source: source.path ?? path,
      breakpoints: points.map(({ requested, position }) => ({ ...requested, line: position?.line ?? requested.line })),
    }));
  }

  async #apply(path: string, found: InSource, { map, match, host }: Target): Promise<void> {
    const target = JSON.stringify(match);
    const places = new Map<string, { at: ScriptPosition; points: Breakpoint[] }>();
    for (const point of found.points) {
      const at = point.position && map.toScript(point.position);
      if (!at) continue;
      const place = JSON.stringify(at);
      const there = places.get(place);
      if (there) there.points.push(point);
      else places.set(place, { at, points: [point] });
    }
    for (const [place, { at, points }] of places) {
      const set = found.remotes.find((each) => each.target === target && each.place === place);
      if (!this.#remote || (set && isSame(idsOf(set.points), idsOf(points)))) continue;
      if (set) {
        found.remotes.splice(found.remotes.indexOf(set), 1);
        await this.#remove(set);
      }
      const condition = conditionOf(
        points.map((point) => ({ ...point, number: this.#numberOf(path, point, target) })),
        host,
      );
      const request = { ...match, ...at, ...(condition === undefined ? {} : { condition }) };
      try {
        const { breakpointId, locations } = await this.#remote.set(request);
        found.remotes.push({ id: breakpointId, target, place, points });
        for (const location of locations) for (const point of points) this.#move(point, undefined, location, map);
      } catch (error) {
        throw new Refusal(`The breakpoint was not set: ${error instanceof Error ? error.message : String(error)}.`);
      }
    }
  }

  #numberOf(path: string, point: Breakpoint, target: string): number {
    const number = point.numbers.get(target) ?? ++this.#lastPoint;
    point.numbers.set(target, number);
    this.#numbers.set(number, { path, point });
    return number;
  }

  #move(
    point: Breakpoint,
    source: DebugProtocol.Source | undefined,
    location: Protocol.Debugger.Location,
    map?: ScriptMap,
  ): void {
    const position = this.#remote?.placeOf(location, map);
    if (!position || position.line === point.position?.line) return;
    point.position = position;
    if (source) this.#onChange(describe(point, source));
  }

  async #remove({ id }: Remote): Promise<void> {
    await this.#remote?.remove(id).catch(() => {});
  }
}

function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function idsOf(points: readonly Breakpoint[]): number[] {
  return points.map(({ id }) => id);
}

function describe(
  { id, position, requested, problem }: Breakpoint,
  source: DebugProtocol.Source,
): DebugProtocol.Breakpoint {
  if (!position) return { id, verified: false, line: requested.line, source, ...(problem ? { message: problem } : {}) };
  return { id, verified: true, source, line: position.line, column: position.column };
}
