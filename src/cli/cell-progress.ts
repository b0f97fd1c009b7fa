import type { CodeCell } from "../notebook/nbformat.ts";

export interface CellProgress {
  start(cell: CodeCell, index: number, total: number): void;
  end(cell: CodeCell, index: number, total: number, seconds: number): void;
}

/** A line a cell: which, how it begins, how long it took. In a terminal the line counts while the cell runs. */
export function cellProgress(out: NodeJS.WriteStream = process.stderr): CellProgress {
  let ticking: NodeJS.Timeout | undefined;
  const line = (cell: CodeCell, index: number, total: number, seconds: number) => {
    const place = `  ${String(index + 1).padStart(String(total).length)}/${total}  `;
    const time = `${seconds.toFixed(1)} s`.padStart(8);
    const room = Math.max(20, Math.min(100, out.columns ?? 100) - place.length - time.length - 1);
    const first = firstLine(cell.source);
    const text = first.length > room ? `${first.slice(0, room - 1)}…` : first.padEnd(room);
    return place + text + time;
  };
  return {
    start(cell, index, total) {
      if (!out.isTTY) return;
      const began = performance.now();
      const draw = () => out.write(`\r\u001b[K${line(cell, index, total, (performance.now() - began) / 1000)}`);
      draw();
      ticking = setInterval(draw, 200);
    },
    end(cell, index, total, seconds) {
      clearInterval(ticking);
      const error = cell.outputs.find((output) => output.output_type === "error");
      const ending = error === undefined ? "" : error.ename === "KeyboardInterrupt" ? "  interrupted" : "  failed";
      out.write(`${out.isTTY ? "\r\u001b[K" : ""}${line(cell, index, total, seconds)}${ending}\n`);
    },
  };
}

function firstLine(source: string): string {
  return (
    source
      .split("\n")
      .find((text) => text.trim() !== "")
      ?.trim() ?? ""
  );
}
