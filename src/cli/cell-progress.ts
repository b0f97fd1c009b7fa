import type { CodeCell } from "../notebook/nbformat.ts";
import { hasTag } from "../notebook/parameters.ts";

export interface CellProgress {
  start(cell: CodeCell, index: number, total: number): void;
  end(cell: CodeCell, index: number, total: number, seconds: number): void;
}

const CLEAR = "\r\u001b[K";
const UP = "\u001b[1A";

/**
 * One line per cell: its number, its first line and its time. In a terminal the running cells are shown below the finished ones, one
 * line each, with a running time. When several notebooks run at once, each line begins with the notebook's name.
 */
export class ProgressBoard {
  readonly #out: NodeJS.WriteStream;
  readonly #live = new Map<CellProgress, () => string>();
  #drawn = 0;
  #ticking: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  /** Writes a line above the lines of the running cells. */
  say(text: string): void {
    this.#out.write(`${this.#erased()}${text}\n`);
    this.#draw();
  }

  notebook(label?: string): CellProgress {
    const line = (cell: CodeCell, index: number, total: number, seconds: number) => {
      const place = `${label ?? ""}  ${String(index + 1).padStart(String(total).length)}/${total}  `;
      const time = `${seconds.toFixed(1)} s`.padStart(8);
      const room = Math.max(20, Math.min(100, this.#out.columns ?? 100) - place.length - time.length - 1);
      const first = firstLine(cell.source);
      return place + (first.length > room ? `${first.slice(0, room - 1)}…` : first.padEnd(room)) + time;
    };
    const progress: CellProgress = {
      start: (cell, index, total) => {
        if (!this.#out.isTTY) return;
        const startTime = performance.now();
        this.#live.set(progress, () => line(cell, index, total, (performance.now() - startTime) / 1000));
        this.#redraw();
        this.#ticking ??= setInterval(() => this.#redraw(), 200);
      },
      end: (cell, index, total, seconds) => {
        this.#live.delete(progress);
        if (this.#live.size === 0) {
          clearInterval(this.#ticking);
          this.#ticking = undefined;
        }
        this.say(`${line(cell, index, total, seconds)}${ending(cell)}`);
      },
    };
    return progress;
  }

  #redraw(): void {
    this.#out.write(this.#erased());
    this.#draw();
  }

  /** The control sequence that erases the lines of the running cells. */
  #erased(): string {
    if (!this.#out.isTTY) return "";
    const lines = this.#drawn;
    this.#drawn = 0;
    return CLEAR + `${UP}${CLEAR}`.repeat(Math.max(0, lines - 1));
  }

  #draw(): void {
    if (this.#live.size === 0) return;
    this.#out.write([...this.#live.values()].map((line) => line()).join("\n"));
    this.#drawn = this.#live.size;
  }
}

function firstLine(source: string): string {
  return (
    source
      .split("\n")
      .find((text) => text.trim() !== "")
      ?.trim() ?? ""
  );
}

function ending(cell: CodeCell): string {
  const error = cell.outputs.find((output) => output.output_type === "error");
  if (error === undefined) return "";
  if (error.ename === "KeyboardInterrupt") return "  interrupted";
  return hasTag(cell, "raises-exception") ? "  expected error raised" : "  failed";
}
