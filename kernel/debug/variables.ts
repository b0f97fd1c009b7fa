/** Variables, and what objects hold, a page at a time. No code of the person's runs for them, and no getter that was not asked for. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Protocol } from "devtools-protocol";
import type { HostInspector } from "../session/inspector.ts";
import { withPreview } from "./evaluation.ts";
import { readingAll } from "./expression.ts";
import { accessorsOf, isArrayLike, lengthOf, pageFunction, rangesOf } from "./pages.ts";
import { Refusal } from "./refusal.ts";
import { type Shown, shownContents, shownValues } from "./shown.ts";
import { type Named, textOf, typeOf } from "./values.ts";

type RemoteObject = Protocol.Runtime.RemoteObject;

/** What a `variablesReference` stands for. */
export type Holder =
  | ScopeHolder
  | { kind: "names"; names: string[] }
  | { kind: "object"; objectId: string; path: string | undefined; length: number | undefined; isShown: boolean }
  | { kind: "range"; objectId: string; path: string | undefined; from: number; to: number }
  | { kind: "getter"; objectId: string; name: string };

export interface ScopeHolder {
  kind: "scope";
  parts: { number: number; objectId: string; isShared: boolean }[];
  /** V8's id of the frame. */
  call: string;
  /** What is shown besides the variables. */
  extra: Named[];
  /** The values that variables have by now: V8's scopes are as they were when the program stopped. */
  current(names: readonly string[]): Promise<Named[]>;
}

export interface Page {
  start?: number | undefined;
  count?: number | undefined;
  filter?: string | undefined;
}

/** Evaluates JavaScript where the program is, with a time limit. */
export type Evaluate = (expression: string) => Promise<RemoteObject>;

export class Variables {
  readonly #inspector: HostInspector;
  readonly #evaluate: Evaluate;
  /** Whether a name in V8's list of all cells' names is the person's. */
  readonly #isOwn: (name: string) => boolean;
  readonly #holders = new Map<number, Holder>();
  /** References from here on are those of the present stop, and end with it. */
  #last: number;

  constructor(inspector: HostInspector, evaluate: Evaluate, isOwn: (name: string) => boolean, firstReference: number) {
    this.#inspector = inspector;
    this.#evaluate = evaluate;
    this.#isOwn = isOwn;
    this.#last = firstReference;
  }

  add(holder: Holder): number {
    this.#holders.set(++this.#last, holder);
    return this.#last;
  }

  /** Forgets all references: their objects are gone. The numbers are not used again. */
  clear(): void {
    this.#holders.clear();
  }

  holder(reference: number): Holder | undefined {
    return this.#holders.get(reference);
  }

  async list(reference: number, page: Page): Promise<DebugProtocol.Variable[]> {
    const holder = this.#holders.get(reference);
    if (!holder) throw new Refusal("This variable is no longer available: the program has gone on since.");
    switch (holder.kind) {
      case "scope":
        return this.#scope(holder);
      case "names":
        return this.#named(await this.valuesOf(holder.names), (name) => name);
      case "object":
        return this.#object(holder, page);
      case "range":
        return this.#range(holder, page);
      case "getter": {
        const value = await this.#get(holder);
        return this.#named([{ name: holder.name, value }], () => undefined);
      }
    }
  }

  /** The values of names at the top level of cells; without those that have none yet. */
  async valuesOf(names: readonly string[]): Promise<Named[]> {
    const expression = readingAll(names);
    const { result, exceptionDetails } = await this.#inspector.post("Runtime.evaluate", {
      expression,
      silent: true,
      disableBreaks: true,
      objectGroup: "variables",
    });
    if (exceptionDetails || !result.objectId) return [];
    return this.ownValues(result.objectId);
  }

  /** Describes values, in one request to the host for all that it shows in its own way. */
  async #named(
    values: readonly Named[],
    pathOf: (name: string) => string | undefined,
  ): Promise<DebugProtocol.Variable[]> {
    const shown = await shownValues(this.#inspector, values);
    return values.map(({ name, value }, index) => this.describe(name, value, pathOf(name), shown[index]));
  }

  describe(name: string, value: RemoteObject, path: string | undefined, shown?: Shown): DebugProtocol.Variable {
    const { objectId } = value;
    const length = objectId && isArrayLike(value) ? lengthOf(value) : undefined;
    const isExpandable = objectId !== undefined && value.type !== "symbol" && (value.type !== "function" || !shown);
    const reference = isExpandable
      ? this.add({ kind: "object", objectId, path, length, isShown: shown !== undefined })
      : 0;
    return {
      name,
      value: shown?.text ?? textOf(value),
      type: shown?.type ?? typeOf(value),
      variablesReference: reference,
      ...(path === undefined ? {} : { evaluateName: path }),
      ...(length === undefined ? {} : { indexedVariables: length }),
    };
  }

  /** A single value, such as that of an expression. */
  async describeOne(name: string, value: RemoteObject, path: string | undefined): Promise<DebugProtocol.Variable> {
    const [shown] = await shownValues(this.#inspector, [{ name, value }]);
    return this.describe(name, value, path, shown);
  }

  async #scope({ parts, extra, current }: ScopeHolder): Promise<DebugProtocol.Variable[]> {
    const found = new Map<string, Named>();
    for (const { name, value } of extra) found.set(name, { name, value: await withPreview(this.#inspector, value) });
    for (const { objectId, isShared } of parts)
      for (const each of await this.ownValues(objectId))
        if (!found.has(each.name) && (!isShared || this.#isOwn(each.name))) found.set(each.name, each);
    const names = [...found.keys()].filter((name) => !extra.some((each) => each.name === name));
    for (const each of await current(names)) found.set(each.name, each);
    return this.#named([...found.values()], (name) => (extra.some((each) => each.name === name) ? undefined : name));
  }

  /**
   * The properties of an object that have a value. Before its declaration has run, a variable of a scope is undefined: Node 20
   * says so, later ones give no value.
   */
  async ownValues(objectId: string): Promise<Named[]> {
    const { result } = await this.#inspector.post("Runtime.getProperties", {
      objectId,
      ownProperties: true,
      generatePreview: true,
    });
    return result.flatMap(({ name, value = { type: "undefined" }, get, set }) => (get || set ? [] : [{ name, value }]));
  }

  async #object(holder: Extract<Holder, { kind: "object" }>, page: Page): Promise<DebugProtocol.Variable[]> {
    if (holder.isShown) return this.#contents(holder);
    const { objectId, path, length } = holder;
    if (length !== undefined && page.filter === "indexed")
      return this.#range({ kind: "range", objectId, path, from: 0, to: length }, page);
    const indexed = length === undefined || page.filter === "named" ? [] : await this.#indexed(objectId, path, length);
    return [...indexed, ...(await this.#properties(objectId, path, length !== undefined))];
  }

  /** All elements of a short array; ranges of a long one. */
  async #indexed(objectId: string, path: string | undefined, length: number): Promise<DebugProtocol.Variable[]> {
    return this.#range({ kind: "range", objectId, path, from: 0, to: length }, {});
  }

  async #range(holder: Extract<Holder, { kind: "range" }>, page: Page): Promise<DebugProtocol.Variable[]> {
    const { objectId, path } = holder;
    const from = holder.from + Math.max(0, page.start ?? 0);
    const to = page.count && page.count > 0 ? Math.min(holder.to, from + page.count) : holder.to;
    const ranges = rangesOf(from, to);
    if (ranges)
      return ranges.map((each) => ({
        name: `[${each.from} … ${each.to - 1}]`,
        value: "",
        variablesReference: this.add({ kind: "range", objectId, path, ...each }),
        indexedVariables: each.to - each.from,
      }));
    const { result } = await this.#inspector.post("Runtime.callFunctionOn", {
      functionDeclaration: pageFunction,
      objectId,
      arguments: [{ value: from }, { value: to }],
      silent: true,
    });
    const values = result.objectId ? await this.ownValues(result.objectId) : [];
    return this.#named(values, (name) => (path === undefined ? undefined : `${path}[${name}]`));
  }

  async #properties(objectId: string, path: string | undefined, isArray: boolean): Promise<DebugProtocol.Variable[]> {
    const own = await this.#inspector.post("Runtime.getProperties", {
      objectId,
      ownProperties: true,
      generatePreview: true,
      nonIndexedPropertiesOnly: isArray,
    });
    const fields = own.result.flatMap(({ name, value, symbol }) =>
      value && !(isArray && name === "length") && !(symbol && nodesSymbols.test(name))
        ? [{ name: symbol ? `[${name}]` : name, value }]
        : [],
    );
    const pathTo = (name: string) => (path === undefined || name.startsWith("[") ? undefined : memberPath(path, name));
    const getters = (await accessorsOf(this.#inspector, objectId, own.result, isArray)).map((name) => ({
      name,
      value: "(…)",
      type: "getter",
      variablesReference: this.add({ kind: "getter", objectId, name }),
      presentationHint: { lazy: true },
    }));
    const inner = (own.internalProperties ?? []).flatMap(({ name, value }) =>
      value && !hiddenInner.test(name) ? [{ name, value }] : [],
    );
    const privates = (own.privateProperties ?? []).flatMap(({ name, value }) => (value ? [{ name, value }] : []));
    return [
      ...(await this.#named(fields, pathTo)),
      ...(await this.#named(privates, () => undefined)),
      ...getters,
      ...(await this.#named(inner, () => undefined)),
    ];
  }

  /** What a value of the library holds, in its own words: a tensor's shape, type and values. */
  async #contents({ objectId }: Extract<Holder, { kind: "object" }>): Promise<DebugProtocol.Variable[]> {
    const contentsId = await shownContents(this.#inspector, objectId);
    const contents = contentsId ? await this.ownValues(contentsId) : [];
    const fields: Holder = { kind: "object", objectId, path: undefined, length: undefined, isShown: false };
    return [
      ...(await this.#named(contents, () => undefined)),
      { name: "[[fields]]", value: "", variablesReference: this.add(fields) },
    ];
  }

  /** Runs a getter. */
  async #get({ objectId, name }: Extract<Holder, { kind: "getter" }>): Promise<RemoteObject> {
    await this.hold({ objectId });
    return this.#evaluate(`${this.#inspector.hostName}_debug.held(0)[${JSON.stringify(name)}]`);
  }

  /** Puts values where expressions find them: `held(0)`, `held(1)`. */
  async hold(...values: Protocol.Runtime.CallArgument[]): Promise<void> {
    await this.#inspector.post("Runtime.callFunctionOn", {
      functionDeclaration: `function(...values){${this.#inspector.hostName}_debug.hold(values)}`,
      executionContextId: 1,
      arguments: values,
      silent: true,
    });
  }
}

/** Node's notes on promises, while its hooks are on. */
const nodesSymbols = /^Symbol\((?:async_id_symbol|trigger_async_id_symbol|kResourceStore)\)$/;
const hiddenInner = /^\[\[(?:Scopes|FunctionLocation|Prototype|IsGenerator|WeakRefTarget)\]\]$/;

function memberPath(path: string, name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}
