/** Subscribers in the order of their places, whoever subscribes first. */
export interface Hook<Place extends string, Subscriber> {
  /** A change replaces the list, so that a call under way keeps the one that it began with. */
  readonly subscribers: readonly Subscriber[];
  /** Returns the way to undo it, in any order with others'. In one place, the latest comes last. */
  subscribe(place: Place, subscriber: Subscriber): () => void;
}

/** `places` are in the order of the calls. `changed` is called after each change. */
export function eventHook<Place extends string, Subscriber>(
  places: readonly Place[],
  changed: () => void = () => {},
): Hook<Place, Subscriber> {
  let entries: readonly { rank: number; subscriber: Subscriber }[] = [];
  const hook = { subscribers: [] as readonly Subscriber[], subscribe };
  const set = (next: typeof entries) => {
    entries = next;
    hook.subscribers = next.map(({ subscriber }) => subscriber);
    changed();
  };
  function subscribe(place: Place, subscriber: Subscriber): () => void {
    const entry = { rank: places.indexOf(place), subscriber };
    set([...entries, entry].sort((one, other) => one.rank - other.rank));
    return () => set(entries.filter((each) => each !== entry));
  }
  return hook;
}

/** A method of tfjs between the functions that subscribers put around it. */
export interface MethodHook<Place extends string, Method> {
  /** The method with everything around it. */
  readonly call: Method;
  /** Puts `wrap(next)` around the method; returns the way to undo it. In one place, the latest is outermost. */
  subscribe(place: Place, wrap: (next: Method) => Method): () => void;
  /** The method itself, set once by what patches it. */
  setInner(method: Method): void;
}

/** `places` are from the outermost to the innermost. */
export function methodHook<Place extends string, Method extends (...args: never[]) => unknown>(
  name: string,
  places: readonly Place[],
): MethodHook<Place, Method> {
  const missing = () => {
    throw new Error(`${name}: the backend that has this method is not loaded`);
  };
  let inner = missing as unknown as Method;
  const compose = () => {
    hook.call = wraps.subscribers.reduce((next, wrap) => wrap(next), inner);
  };
  const wraps = eventHook<Place, (next: Method) => Method>([...places].reverse(), compose);
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
