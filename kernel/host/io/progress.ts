/** A progress bar. Front ends with widgets draw it; others show text that changes in place. */
import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { escapeHtml } from "../../../src/display/html.ts";
import { displaySymbol } from "../../../src/display/mime.ts";
import type { FloatProgress, HBox, HTML } from "../../../src/widgets/models.ts";
import { defineProperty } from "../primordials.ts";
import { display } from "./display.ts";
import { widgetModels } from "./widgets.ts";

export interface ProgressOptions {
  label?: string;
  /** The number of steps, for an iterable without a known length. */
  total?: number;
}

/** Milliseconds between updates of the bar. */
const WIDGET_PERIOD_MS = 50;
const TEXT_PERIOD_MS = 200;
const TEXT_CELLS = 24;

/** A progress bar that the caller moves. */
export class Progress {
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #displayId = randomUUID();
  readonly #started = performance.now();
  readonly #widgets: Widgets | undefined;
  #done = 0;
  #note = "";
  #lastShown = 0;
  #ended = false;

  constructor(total: number | undefined, label: string) {
    this.#label = label;
    this.#total = total;
    this.#widgets = drawWidgets(label, total);
    this.#show(false);
  }

  /** Sets the number of finished steps. `note` is shown at the right, such as the loss. */
  update(done: number, note = this.#note): void {
    this.#done = done;
    this.#note = note;
    const period = this.#widgets ? WIDGET_PERIOD_MS : TEXT_PERIOD_MS;
    if (performance.now() - this.#lastShown >= period) this.#move();
  }

  /** Advances the bar by `steps`. */
  advance(steps = 1, note = this.#note): void {
    this.update(this.#done + steps, note);
  }

  /** Shows the final state, in green when all steps were finished. */
  end(complete = true): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#move();
    const bar = this.#widgets?.bar;
    if (bar && !bar.closed) bar.barStyle = complete ? "success" : "danger";
    if (this.#widgets) this.#show(true);
  }

  #move(): void {
    this.#lastShown = performance.now();
    if (!this.#widgets) {
      this.#show(true);
      return;
    }
    const { bar, text } = this.#widgets;
    // A loop that goes on after its cell was run again.
    if (bar.closed) return;
    bar.set(this.#total === undefined ? { value: 1, barStyle: "info" } : { value: this.#done });
    text.value = escapeHtml(this.#figures());
  }

  #show(update: boolean): void {
    const view = this.#widgets?.box[displaySymbol]() ?? {};
    const data = { ...view, "text/plain": this.#text() };
    display(data, { displayId: this.#displayId, update });
  }

  #text(): string {
    const start = this.#label ? `${this.#label}: ` : "";
    if (this.#total === undefined) return `${start}${this.#figures()}`;
    const share = this.#total > 0 ? Math.min(1, this.#done / this.#total) : 1;
    const full = Math.round(share * TEXT_CELLS);
    const bar = "█".repeat(full) + "·".repeat(TEXT_CELLS - full);
    return `${start}${String(Math.floor(share * 100)).padStart(3)} % ${bar} ${this.#figures()}`;
  }

  /** `12/40 [0:03 < 0:07, 4.1/s] loss 0.31` */
  #figures(): string {
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = seconds > 0 ? this.#done / seconds : 0;
    const count = this.#total === undefined ? `${this.#done}` : `${this.#done}/${this.#total}`;
    const remaining = this.#total !== undefined && rate > 0 ? ` < ${clock((this.#total - this.#done) / rate)}` : "";
    const speed = rate > 0 ? `, ${Number(rate.toPrecision(3))}/s` : "";
    return `${count} [${clock(seconds)}${remaining}${speed}]${this.#note ? ` ${this.#note}` : ""}`;
  }
}

type Source<T> = Iterable<T> | AsyncIterable<T>;

/**
 * `for (const x of progress(items))`, or `for await`, shows the progress of the loop. `progress(100)` returns a bar that the
 * caller moves with `advance` and `update`, and ends with `end`.
 */
export function progress(total: number, options?: ProgressOptions): Progress;
export function progress<T>(items: Source<T>, options?: ProgressOptions): Iterable<T> & AsyncIterable<T>;
export function progress<T>(
  what: number | Source<T>,
  { label = "", total }: ProgressOptions = {},
): Progress | (Iterable<T> & AsyncIterable<T>) {
  if (typeof what === "number") return new Progress(what, label);
  const count = total ?? sizeOf(what);
  return {
    *[Symbol.iterator]() {
      const bar = new Progress(count, label);
      let complete = false;
      try {
        for (const item of what as Iterable<T>) {
          yield item;
          bar.advance();
        }
        complete = true;
      } finally {
        bar.end(complete);
      }
    },
    async *[Symbol.asyncIterator]() {
      const bar = new Progress(count, label);
      let complete = false;
      try {
        for await (const item of what) {
          yield item;
          bar.advance();
        }
        complete = true;
      } finally {
        bar.end(complete);
      }
    },
  };
}

export function installProgress(): void {
  const property = { value: progress, configurable: true, enumerable: false, writable: true };
  defineProperty(globalThis, "progress", property);
  defineProperty(globalThis, Symbol.for("halftone.progress"), { value: progress, enumerable: false });
}

function sizeOf(items: object): number | undefined {
  const { length, size } = items as { length?: unknown; size?: unknown };
  if (typeof length === "number") return length;
  return typeof size === "number" ? size : undefined;
}

interface Widgets {
  bar: FloatProgress;
  text: HTML;
  box: HBox;
}

function drawWidgets(label: string, total: number | undefined): Widgets | undefined {
  const models = widgetModels();
  if (!models) return undefined;
  const before = new models.HTML({ value: escapeHtml(label) });
  const text = new models.HTML();
  const bar = new models.FloatProgress({ max: total ?? 1, layout: { flex: "2" } });
  return { bar, text, box: new models.HBox({ children: [before, bar, text], layout: { width: "100%" } }) };
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  return `${minutes}:${String(whole % 60).padStart(2, "0")}`;
}
