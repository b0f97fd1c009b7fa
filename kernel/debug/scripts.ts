/** The scripts that V8 has parsed, and what each is to the person: a cell, one of their files, or code of others. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Protocol } from "devtools-protocol";
import { compileModule } from "../compile/module.ts";
import { cellOfUrl } from "../protocol/cell-url.ts";
import type { CellScript } from "../session/debugging.ts";
import type { HostInspector } from "../session/inspector.ts";
import type { CellFiles } from "./cell-files.ts";
import { type Position, ScriptMap, type ScriptPosition, wrappingOf } from "./positions.ts";
import { readSource } from "./read-source.ts";

/** A source as a front end knows it. */
export interface Source {
  name: string;
  path: string;
}

/** A script of the person's. */
export interface OwnScript {
  id: string;
  url: string;
  source: Source;
  map: ScriptMap;
  cell: CellScript | undefined;
}

/** The kernel's own code in the build. */
const kernelFolder = new URL("../", import.meta.url).href;
/** The part of a URL by which the loader tells one version of a person's file from the next. */
const version = /\?v=.*$/;

export class Scripts {
  readonly #urls = new Map<string, string>();
  readonly #own = new Map<string, OwnScript | undefined>();
  readonly #maps = new Map<CellScript, ScriptMap>();
  readonly #others = new Map<string, ScriptMap>();
  readonly #cellFiles: CellFiles;
  readonly #cells: () => readonly CellScript[];

  constructor(cellFiles: CellFiles, cells: () => readonly CellScript[]) {
    this.#cellFiles = cellFiles;
    this.#cells = cells;
  }

  add({ scriptId, url }: Protocol.Debugger.ScriptParsedEvent): void {
    this.#urls.set(scriptId, url);
    // At once, because the file may be edited while this version of it runs.
    if (isOwnFile(url)) this.own(scriptId);
  }

  /** The person's script of this id; undefined for any other. */
  own(id: string): OwnScript | undefined {
    if (!this.#own.has(id)) this.#own.set(id, this.#read(id, this.#urls.get(id) ?? ""));
    return this.#own.get(id);
  }

  /** Whether the script belongs to the kernel. */
  isKernel(id: string): boolean {
    return this.#urls.get(id)?.startsWith(kernelFolder) ?? false;
  }

  /** The URLs of the person's files that the program has loaded. */
  loadedFiles(): Source[] {
    const files = new Map<string, Source>();
    for (const url of this.#urls.values()) {
      if (!isOwnFile(url)) continue;
      const file = fileURLToPath(url.replace(version, ""));
      files.set(file, { name: path.basename(file), path: file });
    }
    return [...files.values()];
  }

  sourceOf(cell: CellScript): Source {
    return { name: cell.label, path: this.#cellFiles.pathOf(cell.source) };
  }

  mapOf(cell: CellScript): ScriptMap {
    let map = this.#maps.get(cell);
    if (!map) {
      map = new ScriptMap(cell.script, cell.maps, wrappingOf(cell.host));
      this.#maps.set(cell, map);
    }
    return map;
  }

  /** The position in the person's source; undefined where the compiler put code of its own, and in another script than the map's. */
  place(id: string, at: ScriptPosition, of?: ScriptMap): Position | undefined {
    const map = this.own(id)?.map;
    return map && (!of || of.equals(map)) ? map.toSource(at) : undefined;
  }

  /** The text of a script of others. */
  async textOf(id: string, inspector: HostInspector): Promise<ScriptMap> {
    let text = this.#others.get(id);
    if (!text) {
      const { scriptSource } = await inspector.post("Debugger.getScriptSource", { scriptId: id });
      text = new ScriptMap(scriptSource, []);
      this.#others.set(id, text);
    }
    return text;
  }

  #read(id: string, url: string): OwnScript | undefined {
    const cellId = cellOfUrl(url);
    if (cellId !== undefined) {
      const cell = this.#cells().findLast((each) => each.id === cellId);
      return cell && { id, url, source: this.sourceOf(cell), map: this.mapOf(cell), cell };
    }
    if (!isOwnFile(url)) return undefined;
    const file = fileURLToPath(url.replace(version, ""));
    const map = mapOfFile(file);
    return map && { id, url, source: { name: path.basename(file), path: file }, map, cell: undefined };
  }
}

function isOwnFile(url: string): boolean {
  return url.startsWith("file:") && version.test(url);
}

/** The map of one of the person's files, compiled as the loader does; undefined when it cannot be read or compiled. */
export function mapOfFile(file: string): ScriptMap | undefined {
  const text = readSource(file);
  if (text === undefined) return undefined;
  try {
    const { code, map } = compileModule(text, file);
    return new ScriptMap(code, [map]);
  } catch {
    return undefined;
  }
}
