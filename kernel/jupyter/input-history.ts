/**
 * What was run, kept across restarts: one JSON line a cell, appended. No lock is needed for two kernels to share the file: an append
 * of one line is atomic, and a session's number is its start in milliseconds. (Node 20 has no SQLite; the maintained bindings
 * need an install script, and sql.js rewrites its whole file at each save.)
 */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { makeFolder } from "../../src/base/folders.ts";
import { Recent } from "../session/recent.ts";
import type { Content } from "./messages.ts";

interface Entry {
  session: number;
  line: number;
  source: string;
  output?: string;
}

/** `[session, line, source]`, or `[session, line, [source, output]]`. */
export type HistoryItem = [number, number, string | [string, string | null]];

const COMPACT_OVER_BYTES = 8 << 20;
/** The most bytes read for one answer, because the kernel answers nothing else while it parses them. */
const KEPT_BYTES = 4 << 20;
/** The most characters of one cell, and of its result. */
const LONGEST_SOURCE = 1 << 20;
const LONGEST_OUTPUT = 10_000;
/** Code may hold secrets: the file is readable by this user only. */
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** `HALFTONE_HISTORY` names another file; "off" keeps history in memory alone. */
export function historyFile(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.HALFTONE_HISTORY === "off") return undefined;
  const data = env.XDG_DATA_HOME || path.join(homedir(), ".local", "share");
  return env.HALFTONE_HISTORY || path.join(data, "halftone", "history.jsonl");
}

export class InputHistory {
  readonly session = Date.now();
  readonly #file: string | undefined;
  readonly #own = new Recent<Entry>({ items: 10_000, size: 2 * KEPT_BYTES }, sizeOf);
  readonly #unwritten: Entry[] = [];

  constructor(file: string | undefined) {
    this.#file = file;
    if (file) quietly(() => prepare(file));
  }

  /** Adds one cell; it is written to disk after its client has been answered. */
  store(line: number, source: string, output?: string): void {
    const entry: Entry = { session: this.session, line, source: shortened(source, LONGEST_SOURCE) };
    if (output !== undefined) entry.output = shortened(output, LONGEST_OUTPUT);
    this.#own.add(entry);
    if (this.#file && this.#unwritten.push(entry) === 1) setImmediate(() => this.write());
  }

  /** Writes pending entries. When that fails, the cell still runs and its entry is lost. */
  write(): void {
    const lines = this.#unwritten.splice(0).map((entry) => `${JSON.stringify(entry)}\n`);
    for (const line of lines) quietly(() => appendFileSync(this.#file!, line, { mode: PRIVATE_FILE }));
  }

  answer(request: Content<"history_request">): HistoryItem[] {
    const all = this.#entries();
    let found: Entry[] = [];
    switch (request.hist_access_type) {
      case "tail":
        found = last(all, request.n ?? 10);
        break;
      case "range":
        found = range(
          all,
          this.#numberOf(request.session, all),
          request.start,
          request.stop ?? Number.POSITIVE_INFINITY,
        );
        break;
      case "search": {
        const hits = all.filter((entry) => matchesGlob(request.pattern, entry.source));
        found = last(request.unique ? latestOfEach(hits) : hits, request.n ?? hits.length);
      }
    }
    return found.map(({ session, line, source, output }) => [
      session,
      line,
      request.output ? [source, output ?? null] : source,
    ]);
  }

  /** 0 is the present session, -1 the one before it. */
  #numberOf(session: number, all: readonly Entry[]): number {
    if (session > 0) return session;
    const earlier = [...new Set(all.map((entry) => entry.session))].filter((number) => number < this.session);
    return [...earlier, this.session].at(session - 1) ?? Number.NaN;
  }

  #entries(): Entry[] {
    const entries = this.#own.items;
    if (!this.#file) return [...entries];
    const text = quietly(() => readTail(this.#file!)) ?? "";
    const stored = text.split("\n").flatMap(parseLine);
    const others = stored.filter((entry) => entry.session !== this.session);
    return [...others.sort((a, b) => a.session - b.session), ...entries];
  }
}

function prepare(file: string): void {
  const folder = path.dirname(file);
  makeFolder(folder, PRIVATE_FOLDER);
  // An older version made them for everybody. A folder that the user named may hold other things.
  if (path.basename(folder) === "halftone") quietly(() => chmodSync(folder, PRIVATE_FOLDER));
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile()) quietly(() => chmodSync(file, PRIVATE_FILE));
  if (!found || found.size <= COMPACT_OVER_BYTES) return;
  const tail = readFileSync(file).subarray(-KEPT_BYTES);
  const copy = `${file}.${process.pid}`;
  writeFileSync(copy, tail.subarray(tail.indexOf("\n") + 1), { mode: PRIVATE_FILE });
  renameSync(copy, file);
}

/** The last part of the file, from the start of a line. */
function readTail(file: string): string {
  using open = openFile(file);
  const { size } = fstatSync(open.fd);
  const tail = Buffer.alloc(Math.min(size, KEPT_BYTES));
  const length = readSync(open.fd, tail, 0, tail.length, size - tail.length);
  const from = size > tail.length ? tail.indexOf("\n") + 1 : 0;
  return tail.toString("utf8", from, length);
}

function openFile(file: string): { fd: number } & Disposable {
  const fd = openSync(file, "r");
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

function sizeOf({ source, output = "" }: Entry): number {
  return source.length + output.length;
}

function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest)}\n... ${(text.length - longest).toLocaleString("en-US")} more characters are not kept`;
}

function parseLine(line: string): Entry[] {
  try {
    const value = JSON.parse(line) as Partial<Entry> | null;
    const whole =
      typeof value?.session === "number" && typeof value.line === "number" && typeof value.source === "string";
    return whole ? [value as Entry] : [];
  } catch {
    return [];
  }
}

function last<T>(items: readonly T[], count: number): T[] {
  return items.slice(Math.max(0, items.length - count));
}

function range(all: readonly Entry[], session: number, start: number, stop: number): Entry[] {
  return all.filter((entry) => entry.session === session && entry.line >= start && entry.line < stop);
}

function latestOfEach(entries: readonly Entry[]): Entry[] {
  const bySource = new Map<string, Entry>();
  for (const entry of entries) {
    bySource.delete(entry.source);
    bySource.set(entry.source, entry);
  }
  return [...bySource.values()];
}

/**
 * `*` any text, `?` one character, everything else itself. Of the stars only the last one that was passed is ever tried again, so
 * no pattern takes longer than its length times the text's.
 */
function matchesGlob(pattern: string, text: string): boolean {
  let [at, place] = [0, 0];
  let star = -1;
  let tried = 0;
  while (place < text.length) {
    if (pattern[at] === "*") {
      star = at++;
      tried = place;
    } else if (pattern[at] === "?" || pattern[at] === text[place]) {
      const isPair = pattern[at] === "?" && text.codePointAt(place)! > 0xffff;
      at++;
      place += isPair ? 2 : 1;
    } else if (star >= 0) {
      at = star + 1;
      place = ++tried;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
