import { type DisplayHandle, display, html, inNotebook } from "../display/index.ts";
import { formatBytes } from "../memory/index.ts";
import { trainingFigure } from "./step-figures.ts";
import { type Evaluation, type History, type StepRecord, speedOf } from "./training-log.ts";

/** Milliseconds between two updates of the progress, and of the figure, which is larger. */
const EVERY = { notebook: 500, terminal: 100, figure: 2000 };

/** Steps over which the speed is averaged. */
const RECENT = 20;

/** Shows the progress of a training run. */
export interface Progress {
  step(record: StepRecord): void;
  end(): void;
}

/**
 * Progress of `total` steps: in a notebook one display that is updated, and with `figure` a figure; on a terminal one line that
 * is rewritten; ten lines where the output is a file. A total that is not known is infinite.
 */
export function progress(total: number, history: History, figure: boolean): Progress {
  const started = performance.now();
  const before = history.steps.length;
  let last: StepRecord | undefined;
  let shown = Number.NEGATIVE_INFINITY;
  const terminal = process.stdout.isTTY === true;
  const show = inNotebook() ? notebook(total) : terminal ? rewrittenLine(total) : fewLines(total);
  const every = inNotebook() ? EVERY.notebook : terminal ? EVERY.terminal : 0;
  const draw = figure && inNotebook() ? drawing(total, history) : undefined;
  const now = (record: StepRecord) => state(record, history, performance.now() - started, before, total);
  return {
    step(record) {
      last = record;
      draw?.(false);
      if (performance.now() - shown < every) return;
      shown = performance.now();
      show(now(record), false);
    },
    end() {
      if (last) show(now(last), true);
      draw?.(true);
    },
  };
}

interface State {
  step: number;
  text: string;
}

function state(record: StepRecord, history: History, elapsed: number, before: number, total: number): State {
  const each = elapsed / (record.step - before);
  const evaluation = history.evaluations.at(-1);
  const known = Number.isFinite(total);
  const speed = speedOf(history.steps.slice(-RECENT));
  const parts = [
    `step ${record.step}${known ? `/${total}` : ""}`,
    `loss ${record.loss.toFixed(3)}`,
    ...figures(record.metrics),
    evaluation && validationText(evaluation),
    `${each.toFixed(0)} ms/step`,
    `${count(speed.value)} ${speed.unit}`,
    `peak ${formatBytes(record.peakBytes)}`,
    known && record.step < total ? `${seconds(each * (total - record.step))} left` : seconds(elapsed),
  ];
  return { step: record.step, text: parts.filter(Boolean).join(" · ") };
}

function validationText({ loss, accuracy, metrics }: Evaluation): string {
  const first = Number.isNaN(accuracy) ? loss.toPrecision(3) : `${(100 * accuracy).toFixed(1)}%`;
  return `validation ${[first, ...figures(metrics)].join(", ")}`;
}

/** The metrics apart from the accuracy, each with its name. */
const figures = (metrics: Readonly<Record<string, number>>): string[] =>
  Object.entries(metrics)
    .filter(([name]) => name !== "accuracy")
    .map(([name, figure]) => `${name} ${figure.toPrecision(3)}`);

/** Draws the history so far in one display. */
function drawing(total: number, history: History): (ended: boolean) => void {
  let handle: DisplayHandle | undefined;
  let drawn = performance.now();
  return (ended) => {
    if (!ended && performance.now() - drawn < EVERY.figure) return;
    const figure = trainingFigure(history, Number.isFinite(total) ? { total } : {});
    if (handle) handle.update(figure);
    else handle = display(figure);
    drawn = performance.now();
  };
}

function notebook(total: number): (state: State, ended: boolean) => void {
  let handle: DisplayHandle | undefined;
  return ({ step, text }) => {
    const style = "width:20em;vertical-align:middle";
    const bar = Number.isFinite(total)
      ? html`<div><progress value="${step}" max="${total}" style="${style}"></progress> ${text}</div>`
      : html`<div><progress style="${style}"></progress> ${text}</div>`;
    if (handle) handle.update(bar);
    else handle = display(bar);
  };
}

function rewrittenLine(total: number): (state: State, ended: boolean) => void {
  const width = 24;
  return ({ step, text }, ended) => {
    const done = Number.isFinite(total) ? Math.round((width * step) / total) : 0;
    const line = `${"█".repeat(done)}${"░".repeat(width - done)} ${text}`;
    process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}${ended ? "\n" : ""}`);
  };
}

function fewLines(total: number): (state: State, ended: boolean) => void {
  let tenth = 0;
  const isKnown = Number.isFinite(total);
  return ({ step, text }, ended) => {
    // Where the number of steps is not known, at each doubling of it and at the end.
    const now = isKnown ? Math.floor((10 * step) / total) : Math.floor(Math.log2(step)) + (ended ? 2 : 1);
    if (now === tenth) return;
    tenth = now;
    process.stdout.write(`${text}\n`);
  };
}

function count(value: number): string {
  return value < 1000 ? value.toFixed(0) : `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)}k`;
}

function seconds(milliseconds: number): string {
  const whole = Math.round(milliseconds / 1000);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
