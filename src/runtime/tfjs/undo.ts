let undo: (() => void)[] | undefined;

/** Changes of tfjs that `change` makes, undone where it fails, so that another backend can make its own. */
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

/** Says how to undo a change. */
export function undoBy(step: () => void): void {
  undo?.push(step);
}
