/** A place on the page for the outputs of code: also of what runs later, in an observer for instance. */
import { type NotebookOutput, OutputLog, type OutputMessage } from "../display/output-log.ts";
import { onceBeforeCellEnds, widgetHost } from "./host.ts";
import * as models from "./models.ts";
import { draws, widgetShownBy } from "./values.ts";
import type { Init } from "./widget.ts";

/** Milliseconds between two updates of the page, and those that each million characters add: all outputs are sent each time. */
const PERIOD_MS = 40;
const PER_MILLION_MS = 200;

/**
 * An output area. The outputs of code that runs under `capture` appear in it, in place of its cell. They are kept by the widget: a
 * page that is loaded again shows them, and so does a report.
 */
export class Output extends models.Output {
  readonly #shown: NotebookOutput[] = [];
  readonly #add = new OutputLog().cell(this.#shown, () => null);
  #sent = Number.NEGATIVE_INFINITY;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #flushBeforeCellEnds = onceBeforeCellEnds(() => this.flush());

  constructor(attributes: Init<models.OutputTraits> = {}) {
    super(attributes);
    this.#shown.push(...this.outputs);
  }

  /**
   * Runs `action`, whose prints, displays and late errors go here, also those of the work that it starts. Returns what it returns,
   * and throws what it throws. What native code and child processes write is not captured.
   */
  capture<R>(action: () => R): R {
    const host = widgetHost();
    return host ? host.capture((message) => this.add(message), action) : action();
  }

  /** Displays a value here, after the others. */
  async show(value: unknown): Promise<void> {
    const data = await widgetHost()?.render(value);
    if (data) this.add({ type: "display", data, metadata: {} });
  }

  /** Removes the outputs; with `wait` when the next one comes. */
  clear({ wait = false }: { wait?: boolean } = {}): void {
    this.add({ type: "clear", wait });
  }

  /** The value of an attribute; `outputs` are all until now, also those that the page does not show yet. */
  override get<K extends keyof models.OutputTraits>(name: K): models.OutputTraits[K] {
    if (name === "outputs" && this.#timer) this.flush();
    return super.get(name);
  }

  /**
   * Adds an output as the kernel has it.
   *
   * @throws RangeError for the display of a widget that this one is inside of
   */
  add(message: OutputMessage): void {
    if (this.closed) return;
    if (draws(widgetShownBy(message), this.id))
      throw new RangeError(
        "an Output cannot show itself, or a widget that it is inside of, because it would have no end",
      );
    this.#add(message);
    this.#size += message.type === "stream" ? message.text.length : 1000;
    if (performance.now() - this.#sent >= this.#period) {
      this.flush();
      return;
    }
    this.#timer ??= setTimeout(() => this.flush(), this.#period);
    this.#flushBeforeCellEnds();
  }

  /** Sends what the page does not show yet. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sent = performance.now();
    if (!this.closed) this.outputs = this.#shown.map((output) => ({ ...output }));
  }

  get #period(): number {
    return PERIOD_MS + (this.#size / 1e6) * PER_MILLION_MS;
  }
}
