let undo: (() => void)[] | undefined;

/** Changes tfjs by `change`. If that throws, what it has changed so far is undone, so that another backend can make its own changes. */
export function allOrNone<T>(change: () => T): T {
  undo = [];
  try {
    return change();
  } catch (error) {
    for (const each of undo.reverse()) each();
    throw error;
  } finally {
    undo = undefined;
  }
}

/** Registers how to undo a change, if `allOrNone` makes it. */
export function undoBy(step: () => void): void {
  undo?.push(step);
}
