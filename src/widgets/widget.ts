/** A widget: its state is here, the front end draws it, and each tells the other of changes (jupyter.widget comm protocol 2.1.0). */
import { inspect } from "node:util";
import { runsNoUserCode } from "../display/define-summary.ts";
import { type Displayable, displaySymbol, type MimeBundle } from "../display/index.ts";
import { type Line, widgetHost } from "./host.ts";
import { type Change, inThisCell, type Listener, type MessageListener } from "./listener.ts";
import { checkedValue, checkedValues, type Model, traitOf, wireState } from "./model.ts";
import { sendSoon, sendWaiting } from "./outbox.ts";
import { pack, putBuffers } from "./packing.ts";
import { type Described, describeSymbol, type Registered, registeredWidgets } from "./registry.ts";
import { isRecord, localName } from "./traits.ts";
import { draws, isSame, VIEW_MIME } from "./values.ts";

/** How many changes may be made inside one another, by observers that set attributes. */
const MOST_NESTED = 100;
let nested = 0;
/** The levels of children in a widget's text. */
const MOST_LEVELS = 3;

/** The attributes that a new widget takes; parts such as `layout` may be plain objects of their attributes. */
export type Init<T> = { [K in keyof T]?: T[K] | (NonNullable<T[K]> extends Widget<infer Part> ? Init<Part> : never) };

/** A widget with attributes `T`. */
export class Widget<T extends object> implements Displayable, Registered {
  readonly #model: Model;
  readonly #state: Record<string, unknown> = {};
  readonly #line: Line | undefined;
  readonly #observers = new Map<string, Set<Listener>>();
  readonly #messages = new Set<MessageListener>();
  readonly #closes = new Set<() => void>();
  /** Changed attributes that the front end does not know yet. */
  readonly #unsent = new Set<string>();
  readonly #id: string;
  #closed = false;

  constructor(model: Model, init: object) {
    this.#model = model;
    const given = checkedValues(this.#model, init);
    for (const [name, trait] of Object.entries(model.traits))
      this.#state[name] = name in given ? given[name] : trait.initial();
    this.#settle(new Set(Object.keys(given)));
    const host = widgetHost();
    if (!host) {
      this.#id = crypto.randomUUID();
      return;
    }
    const { state, bufferPaths, buffers } = this[describeSymbol]();
    this.#line = host.open({ state, buffer_paths: bufferPaths }, buffers);
    this.#id = this.#line.id;
    registeredWidgets().set(this.#id, this);
    this.#line.onMessage(({ data, buffers }) => this.#receive(data, buffers));
    this.#line.onClose(() => this.#disappear());
  }

  /** The id of its model, and of its comm. */
  get id(): string {
    return this.#id;
  }

  /** Whether it was closed, by `close` or because its cell was run again. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The value of an attribute. */
  get<K extends keyof T & string>(name: K): T[K] {
    return this.#state[name] as T[K];
  }

  /**
   * Sets several attributes at once: observers see all of them changed, and the front end is told once.
   *
   * @throws TypeError for a name or a value that the widget does not take, and Error for a closed widget; then nothing is changed
   */
  set(changes: Init<T>): this {
    if (this.#closed)
      throw new Error(`${this.#model.name} is closed, by close() or because its cell was run again: make a new one`);
    const checked = checkedValues(this.#model, changes);
    if (Array.isArray(checked.children) && checked.children.some((each) => draws(each, this.#id)))
      throw new RangeError(
        `${this.#model.name}.children: a widget cannot be inside itself, because it would have no end`,
      );
    this.#change(checked, false);
    return this;
  }

  /**
   * Calls `listener` after each change of an attribute, from either side, until the returned function is called or `signal` is
   * aborted. What it prints appears in the cell that called `observe`.
   */
  observe<K extends keyof T & string>(
    name: K,
    listener: (change: Change<T, K>) => void,
    { signal }: { signal?: AbortSignal } = {},
  ): () => void {
    if (typeof name === "function")
      throw new TypeError('the name of the attribute comes first, then the function: observe("value", listener)');
    traitOf(this.#model, name);
    const inCell = inThisCell(listener as unknown as Listener);
    const listeners = this.#observers.get(name) ?? new Set();
    this.#observers.set(name, listeners.add(inCell));
    const stop = (): void => {
      listeners.delete(inCell);
    };
    signal?.addEventListener("abort", stop, { once: true });
    return stop;
  }

  /**
   * The value of an attribute, by default `value`, after its next change. A cell that awaits it goes on when a person moves the
   * widget.
   *
   * @throws Error when the widget is closed, when no person can change it (`halftone run`, nbconvert), or with the signal's reason
   */
  next<K extends keyof T & string = "value" & keyof T>(
    name: K = "value" as K,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<T[K]> {
    traitOf(this.#model, name);
    const refused = this.#closed
      ? `${this.#model.name} is closed: next() would wait for ever`
      : !(this.#isLive && widgetHost()?.isAttended()) &&
        "next() waits for a person to change the widget, and no front end shows it; use the widget's value";
    if (refused) return Promise.reject(new Error(refused));
    return new Promise((resolve, reject) => {
      const settled = new AbortController();
      const fail = (reason: unknown): void => {
        settled.abort();
        reject(reason);
      };
      if (signal?.aborted) return fail(signal.reason);
      signal?.addEventListener("abort", () => fail(signal.reason), { signal: settled.signal });
      const onClose = (): void => fail(new Error(`${this.#model.name} was closed before ${name} changed`));
      this.#closes.add(onClose);
      settled.signal.addEventListener("abort", () => this.#closes.delete(onClose));
      this.observe(
        name,
        ({ value }) => {
          settled.abort();
          resolve(value);
        },
        { signal: settled.signal },
      );
    });
  }

  /** Sends a message to the widget's code in the front end. Bytes in `buffers` are not copied into text there. */
  send(content: unknown, buffers: readonly Uint8Array[] = []): void {
    sendWaiting();
    if (this.#isLive) this.#line!.send({ method: "custom", content }, { buffers: [...buffers] });
  }

  /** Calls `listener` with each message that the widget's code in the front end sends; returns a function that ends this. */
  onMessage(listener: (content: unknown, buffers: readonly Uint8Array[]) => void): () => void {
    const inCell = inThisCell(listener);
    this.#messages.add(inCell);
    return () => void this.#messages.delete(inCell);
  }

  /** Sends these attributes, by default all, to the front end once more. */
  sendState(names: readonly (keyof T & string)[] = Object.keys(this.#model.traits) as (keyof T & string)[]): void {
    this.#send(names);
  }

  /** Removes the widget from the page; its state remains readable. The widgets inside it stay. */
  close(): void {
    if (this.#closed) return;
    sendWaiting();
    if (this.#isLive) this.#line!.close();
    this.#closed = true;
    this.#disappear();
  }

  [displaySymbol](): MimeBundle {
    const view = { version_major: 2, version_minor: 0, model_id: this.#id };
    return this.#model.identity._view_name === null || !this.#isLive
      ? { "text/plain": this.#text(MOST_LEVELS) }
      : { [VIEW_MIME]: view, "text/plain": this.#text(MOST_LEVELS) };
  }

  [inspect.custom](levels = MOST_LEVELS): string {
    return this.#text(Math.min(levels, MOST_LEVELS));
  }

  static {
    runsNoUserCode(Widget.prototype[inspect.custom]);
  }

  /** @internal */
  [describeSymbol](): Described {
    const { state, bufferPaths, buffers } = pack(wireState(this.#model, this.#state, Object.keys(this.#model.traits)));
    const { _model_name, _model_module, _model_module_version } = this.#model.identity;
    const identity = {
      model_name: _model_name,
      model_module: _model_module,
      model_module_version: _model_module_version,
    };
    return { identity, state: { ...this.#model.identity, ...state }, bufferPaths, buffers };
  }

  get #isLive(): boolean {
    return this.#line !== undefined && !this.#line.closed;
  }

  /** The page no longer has it. A front end without widgets closes all of them, and code that sets their attributes goes on. */
  #disappear(): void {
    registeredWidgets().delete(this.#id);
    for (const listener of [...this.#closes]) listener();
  }

  /** Adds what must change with the changed attributes, and returns all that differ. */
  #settle(changed: Set<string>): Set<string> {
    for (const [name, value] of Object.entries(this.#model.settle?.(this.#state, changed) ?? {})) {
      if (isSame(this.#state[name], value)) continue;
      this.#state[name] = value;
      changed.add(name);
    }
    return changed;
  }

  /** Applies values that were checked. `known` has those that the front end has sent, in its form. */
  #change(values: Record<string, unknown>, isFromFrontEnd: boolean, known: Record<string, unknown> = {}): void {
    if (nested >= MOST_NESTED)
      throw new RangeError(
        `observers of ${this.#model.name} change widgets without an end: ${MOST_NESTED} changes have been made inside one another`,
      );
    const old = { ...this.#state };
    const differing = Object.keys(values).filter((name) => !isSame(old[name], values[name]));
    for (const name of differing) this.#state[name] = values[name];
    let changed: Set<string>;
    try {
      changed = this.#settle(new Set(differing));
    } catch (error) {
      Object.assign(this.#state, old);
      throw error;
    }
    const sent = isFromFrontEnd ? [...changed, ...Object.keys(values)] : [...changed];
    for (const name of sent) {
      const [wire, value] = Object.entries(wireState(this.#model, this.#state, [name]))[0] ?? [];
      if (wire && !(Object.hasOwn(known, wire) && isSame(value, known[wire]))) this.#unsent.add(name);
    }
    this.#sendUnsent();
    nested++;
    try {
      for (const name of changed) {
        if (isSame(old[name], this.#state[name])) continue;
        const change = { name, old: old[name], value: this.#state[name], isFromFrontEnd };
        for (const listener of [...(this.#observers.get(name) ?? [])]) listener(change);
      }
    } finally {
      nested--;
    }
  }

  #sendUnsent(): void {
    if (this.#unsent.size > 0 && this.#isLive) sendSoon(this.#flush);
  }

  readonly #flush = (): number => {
    const names = [...this.#unsent];
    this.#unsent.clear();
    return this.#send(names);
  };

  /** Returns the number of bytes beside the state. */
  #send(names: readonly string[]): number {
    if (!this.#isLive) return 0;
    const { state, bufferPaths, buffers } = pack(wireState(this.#model, this.#state, names));
    this.#line!.send({ method: "update", state, buffer_paths: bufferPaths }, { buffers });
    return buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #receive(data: Record<string, unknown>, buffers: readonly Uint8Array[]): void {
    if (data.method === "request_state") this.sendState();
    else if (data.method === "custom") for (const listener of [...this.#messages]) listener(data.content, buffers);
    else if (data.method === "update" && isRecord(data.state)) this.#update(data.state, data.buffer_paths, buffers);
  }

  /** A change that a person made. What the widget does not take is refused, and the front end is told the value that holds. */
  #update(state: Record<string, unknown>, paths: unknown, buffers: readonly Uint8Array[]): void {
    putBuffers(state, paths, buffers);
    const values: Record<string, unknown> = {};
    const known: Record<string, unknown> = {};
    const refusals: string[] = [];
    const refuse = (name: string, error: unknown): void => {
      refusals.push(error instanceof Error ? error.message : String(error));
      if (Object.hasOwn(this.#model.traits, name)) this.#unsent.add(name);
    };
    for (const [wire, value] of Object.entries(state)) {
      // What the front end keeps for itself, such as the number of views.
      if (/^_(?:model|view)_/.test(wire)) continue;
      const name = this.#model.sameNames ? wire : localName(wire);
      try {
        values[name] = checkedValue(this.#model, name, traitOf(this.#model, name).fromWire?.(value) ?? value);
        known[wire] = value;
      } catch (error) {
        refuse(name, error);
      }
    }
    if (Object.keys(known).length > 0) this.#echo(known);
    try {
      this.#change(values, true, known);
    } catch (error) {
      for (const name of Object.keys(values)) refuse(name, error);
    }
    this.#sendUnsent();
    if (refusals.length > 0)
      throw new TypeError(`the front end sent what a widget does not take: ${[...new Set(refusals)].join("; ")}`);
  }

  /** Tells all pages what one of them has changed. */
  #echo(known: Record<string, unknown>): void {
    if (process.env.JUPYTER_WIDGETS_ECHO === "0" || !this.#isLive) return;
    const { state, bufferPaths, buffers } = pack(known);
    this.#line!.send({ method: "echo_update", state, buffer_paths: bufferPaths }, { buffers });
  }

  /** Its name with its value, or with its children down to so many levels. */
  #text(levels: number): string {
    const { value, children } = this.#state;
    const shown = value ?? children;
    if (shown === undefined) return `${this.#model.name}()`;
    if (levels < 0 && typeof shown === "object") return `${this.#model.name}(…)`;
    const options = { depth: levels, maxStringLength: 60, maxArrayLength: 6, breakLength: Infinity };
    return `${this.#model.name}(${inspect(shown, options)})`;
  }
}
