import { type DisplayHandle, display, html, inNotebook } from "../display/index.ts";
import { formatBytes } from "../memory/index.ts";
import type { Evaluation, StepRecord } from "./history.ts";

/** Milliseconds between two pictures of the progress. */
const EVERY = { notebook: 500, terminal: 100 };

/** Where a training run tells how far it is. */
export interface Progress {
  step(record: StepRecord, evaluation: Evaluation | undefined): void;
  end(): void;
}

/**
 * Progress of `total` steps: one display that is replaced in a notebook, one line that is rewritten on a terminal, and ten
 * lines in all where output goes to a file.
 */
export function progress(total: number): Progress {
  const started = performance.now();
  let last: { record: StepRecord; evaluation: Evaluation | undefined } | undefined;
  let shown = Number.NEGATIVE_INFINITY;
  const terminal = process.stdout.isTTY === true;
  const show = inNotebook() ? notebook(total) : terminal ? rewrittenLine(total) : fewLines(total);
  const every = inNotebook() ? EVERY.notebook : terminal ? EVERY.terminal : 0;
  return {
    step(record, evaluation) {
      last = { record, evaluation };
      const now = performance.now();
      if (now - shown < every) return;
      shown = now;
      show(state(record, evaluation, now - started, total), false);
    },
    end() {
      if (last) show(state(last.record, last.evaluation, performance.now() - started, total), true);
    },
  };
}

interface State {
  step: number;
  text: string;
}

function state(record: StepRecord, evaluation: Evaluation | undefined, elapsed: number, total: number): State {
  const left = (elapsed / record.step) * (total - record.step);
  const parts = [
    `step ${record.step}/${total}`,
    `loss ${record.loss.toFixed(3)}`,
    evaluation && `validation ${(100 * evaluation.accuracy).toFixed(1)}%`,
    `${(elapsed / record.step).toFixed(0)} ms/step`,
    `peak ${formatBytes(record.peakBytes)}`,
    record.step < total ? `${seconds(left)} left` : seconds(elapsed),
  ];
  return { step: record.step, text: parts.filter(Boolean).join(" · ") };
}

function notebook(total: number): (state: State, ended: boolean) => void {
  let handle: DisplayHandle | undefined;
  return ({ step, text }) => {
    const bar = html`<div><progress value="${step}" max="${total}" style="width:20em;vertical-align:middle"></progress> ${text}</div>`;
    if (handle) handle.update(bar);
    else handle = display(bar);
  };
}

function rewrittenLine(total: number): (state: State, ended: boolean) => void {
  const width = 24;
  return ({ step, text }, ended) => {
    const done = Math.round((width * step) / total);
    const line = `${"█".repeat(done)}${"░".repeat(width - done)} ${text}`;
    process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}${ended ? "\n" : ""}`);
  };
}

function fewLines(total: number): (state: State, ended: boolean) => void {
  let tenth = 0;
  return ({ step, text }) => {
    const now = Math.floor((10 * step) / total);
    if (now === tenth) return;
    tenth = now;
    process.stdout.write(`${text}\n`);
  };
}

function seconds(milliseconds: number): string {
  const whole = Math.round(milliseconds / 1000);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
