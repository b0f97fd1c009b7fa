import { undoBy } from "./undo.ts";

/** A list of subscribers, sorted by stage and not by the time of subscription. */
export interface Hook<Stage extends string, Subscriber> {
  /** A change replaces the list, so a call in progress keeps the list that it began with. */
  readonly subscribers: readonly Subscriber[];
  /**
   * Returns a function that removes the subscriber; subscribers may be removed in any order. Within a stage, the latest comes
   * last.
   */
  subscribe(stage: Stage, subscriber: Subscriber): () => void;
}

/** `stages` are in the order of the calls. `changed` is called after each change. */
export function eventHook<Stage extends string, Subscriber>(
  stages: readonly Stage[],
  changed: () => void = () => {},
): Hook<Stage, Subscriber> {
  let entries: readonly { rank: number; subscriber: Subscriber }[] = [];
  const hook = { subscribers: [] as readonly Subscriber[], subscribe };
  const set = (next: typeof entries) => {
    entries = next;
    hook.subscribers = next.map(({ subscriber }) => subscriber);
    changed();
  };
  function subscribe(stage: Stage, subscriber: Subscriber): () => void {
    const entry = { rank: stages.indexOf(stage), subscriber };
    set([...entries, entry].sort((one, other) => one.rank - other.rank));
    const remove = () => set(entries.filter((each) => each !== entry));
    undoBy(remove);
    return remove;
  }
  return hook;
}

/** A method of tfjs that subscribers can wrap. */
export interface MethodHook<Stage extends string, Method> {
  /** The method with all wrappers. */
  readonly call: Method;
  /**
   * Wraps the method in `wrap(next)`. Returns a function that removes the wrapper. Within a stage, the latest is outermost.
   */
  subscribe(stage: Stage, wrap: (next: Method) => Method): () => void;
  /** Sets the original method; called once by the patch. */
  setInner(method: Method): void;
}

/** `stages` are ordered from the outermost to the innermost. */
export function methodHook<Stage extends string, Method extends (...args: never[]) => unknown>(
  name: string,
  stages: readonly Stage[],
): MethodHook<Stage, Method> {
  const missing = () => {
    throw new Error(`${name}: the backend that has this method is not loaded`);
  };
  let inner = missing as unknown as Method;
  const compose = () => {
    hook.call = wraps.subscribers.reduce((next, wrap) => wrap(next), inner);
  };
  const wraps = eventHook<Stage, (next: Method) => Method>([...stages].reverse(), compose);
  const hook = {
    call: inner,
    subscribe: wraps.subscribe,
    setInner(method: Method) {
      inner = method;
      compose();
    },
  };
  return hook;
}
