import type { Progress } from "../runtime/setup/progress.ts";

/** Prints each step as a line, and a percentage within a step: redrawn in a terminal, otherwise printed at every quarter. */
export function terminalProgress(out: NodeJS.WriteStream = process.stdout): Progress & { end(): void } {
  let line = "";
  let shown = -1;
  const end = () => {
    if (out.isTTY && shown >= 0) out.write("\n");
    shown = -1;
  };
  return {
    end,
    step(text) {
      end();
      line = text;
      out.write(`[halftone] ${text}\n`);
    },
    share(done) {
      const percent = Math.min(99, Math.floor((done * 100) / (out.isTTY ? 1 : 25)) * (out.isTTY ? 1 : 25));
      if (percent <= shown || percent === 0) return;
      shown = percent;
      out.write(out.isTTY ? `\r[halftone] ${line}: ${percent} %` : `[halftone]   ${percent} %\n`);
    },
  };
}
