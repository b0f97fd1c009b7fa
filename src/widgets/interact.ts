import { inspect } from "node:util";
import { type Displayable, displaySymbol, type MimeBundle } from "../display/index.ts";
import { type Control, type ValueOf, type ValueWidget, widgetOfControl } from "./control.ts";
import { widgetHost } from "./host.ts";
import { VBox } from "./models.ts";
import { Output } from "./output.ts";

/** The values of controls, by their names. */
export type ValuesOf<C> = { -readonly [K in keyof C]: ValueOf<C[K]> };

/** Controls with a function that runs again when one of them is changed. */
export interface Interaction<C> extends Displayable {
  /** The widgets, by the names of the arguments. */
  readonly controls: { readonly [K in keyof C]: ValueWidget<ValueOf<C[K]>> };
  /** Where the function's outputs and its result appear. */
  readonly output: Output;
  readonly values: ValuesOf<C>;
  /** Runs the function with the present values, and waits until no newer values wait. */
  run(): Promise<void>;
  /** Removes the widgets and aborts the function. */
  close(): void;
}

/**
 * Shows widgets for the arguments of a function, and runs it when a person changes one; its outputs and its result replace those of
 * the run before. `interact(({ rate, model }) => ..., { rate: [1e-4, 1e-1], model: ["small", "large"] })`.
 *
 * One run is made at a time, and the latest values win: while an async function runs, `signal` is aborted by a change, its outputs
 * no longer appear, and when it has ended it runs once more with the values of that moment.
 *
 * @throws TypeError for a control that stands for no widget, RangeError for numbers that are no range
 */
export function interact<const C extends Readonly<Record<string, Control>>>(
  body: (values: ValuesOf<C>, signal: AbortSignal) => unknown,
  controls: C,
): Interaction<C> {
  if (typeof body !== "function")
    throw new TypeError(`interact needs a function and its controls, got ${inspect(body)}`);
  const widgets = Object.entries(controls).map(([name, control]) => [name, widgetOfControl(name, control)] as const);
  const output = new Output();
  const box = new VBox({ children: [...widgets.map(([, widget]) => widget), output] });
  const valuesNow = (): ValuesOf<C> =>
    Object.fromEntries(widgets.map(([name, widget]) => [name, widget.value])) as ValuesOf<C>;
  const latest = latestRun((signal) => runOnce(() => body(valuesNow(), signal), output, signal));
  let scheduled = false;
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    // Changes that have come together make one run.
    setImmediate(() => {
      scheduled = false;
      void latest.run();
    });
  };
  for (const [, widget] of widgets) widget.observe("value", schedule);
  const first = latest.run();
  return {
    controls: Object.fromEntries(widgets) as Interaction<C>["controls"],
    output,
    get values() {
      return valuesNow();
    },
    run: latest.run,
    close() {
      latest.stop();
      for (const [, widget] of widgets) widget.close();
      output.close();
      box.close();
    },
    // Where no person waits for the controls, the cell ends with the outputs of the first run.
    [displaySymbol](): MimeBundle | Promise<MimeBundle> {
      if (widgetHost()?.isAttended() !== false) return box[displaySymbol]();
      return first.then(() => box[displaySymbol]());
    },
  };
}

/** Runs one at a time. A call during a run aborts it; one more run then follows, however many calls there were. */
function latestRun(body: (signal: AbortSignal) => Promise<void>): { run: () => Promise<void>; stop: () => void } {
  let current: AbortController | undefined;
  let ended = Promise.resolve();
  let again = false;
  let stopped = false;
  const loop = async (): Promise<void> => {
    do {
      again = false;
      current = new AbortController();
      await body(current.signal);
    } while (again && !stopped);
    current = undefined;
  };
  return {
    run() {
      if (stopped) return Promise.resolve();
      if (current) {
        again = true;
        current.abort(new DOMException("a control was changed", "AbortError"));
      } else ended = loop();
      return ended;
    },
    stop() {
      stopped = true;
      current?.abort(new DOMException("the interaction was closed", "AbortError"));
    },
  };
}

/** One run, whose outputs replace those of the run before. Once it is aborted, its outputs are dropped. */
async function runOnce(body: () => unknown, output: Output, signal: AbortSignal): Promise<void> {
  const host = widgetHost();
  if (!host) return void (await body());
  output.clear({ wait: true });
  let isEmpty = true;
  const add: typeof output.add = (message) => {
    if (signal.aborted) return;
    isEmpty = false;
    output.add(message);
  };
  try {
    const result = await host.capture(add, body);
    if (result !== undefined && !signal.aborted)
      add({ type: "display", data: await host.render(result), metadata: {} });
  } catch (error) {
    const described = host.describe(error);
    if (described) add(described);
  }
  if (isEmpty && !signal.aborted) output.clear();
  output.flush();
}
