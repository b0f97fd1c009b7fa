/** The sources in which breakpoints may be: cells and local files. */
import { pathToFileURL } from "node:url";
import { cellUrl } from "../protocol/cell-url.ts";
import type { CellScript } from "../session/debugging.ts";
import type { HostInspector } from "../session/inspector.ts";
import type { Session } from "../session/session.ts";
import type { Target } from "./breakpoints.ts";
import { CellFiles } from "./cell-files.ts";
import { escaped } from "./motion.ts";
import type { SourceText } from "./placement.ts";
import { readSource } from "./read-source.ts";
import { mapOfFile, type Scripts } from "./scripts.ts";

/** Scripts of one source, the last runs of a cell, that get its breakpoints. */
const mostRuns = 20;

export class Sources implements Disposable {
  readonly cells = new CellFiles();
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The text behind a source's path. */
  text(path: string): SourceText {
    if (!this.cells.holds(path)) return { kind: "file", text: readSource(path) };
    return { kind: "cell", text: readSource(path) ?? this.#cellsAt(path).at(-1)?.source };
  }

  /** The scripts in which a source runs, or has run; none while no debugger is attached. */
  targets(path: string, attached: { scripts: Scripts; inspector: HostInspector } | undefined): Target[] {
    if (!attached) return [];
    const { scripts, inspector } = attached;
    if (this.cells.holds(path)) return this.#cellsAt(path).map((cell) => targetOf(cell, scripts));
    const map = mapOfFile(path);
    if (!map) return [];
    const url = escaped(pathToFileURL(path).href);
    return [{ map, match: { urlRegex: `^${url}(?:\\?.*)?$` }, host: inspector.hostName }];
  }

  /** Whether a name at the top level stands in a cell: others are the kernel's and of what it adds. */
  isOwnName(name: string): boolean {
    return this.#session.scripts.some(({ source }) => source.includes(name));
  }

  [Symbol.dispose](): void {
    this.cells[Symbol.dispose]();
  }

  #cellsAt(path: string): CellScript[] {
    return this.#session.scripts.filter(({ source }) => this.cells.pathOf(source) === path).slice(-mostRuns);
  }
}

export function targetOf(cell: CellScript, scripts: Scripts): Target {
  return { map: scripts.mapOf(cell), match: { url: cellUrl(cell.id) }, host: cell.host };
}
