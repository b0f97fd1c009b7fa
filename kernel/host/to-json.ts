/**
 * A cell may give all objects or arrays a `toJSON`, which JSON.stringify calls for the messages of the host and, in Node, for those
 * of its inspector. It is taken away while such a message is written.
 */
const objects = Object.prototype;
const arrays = Array.prototype;
const { getOwnPropertyDescriptor, deleteProperty, defineProperty } = Reflect;
const name = "toJSON";

interface Taken {
  from: object;
  property: PropertyDescriptor;
}
let ofObjects: Taken | undefined;
let ofArrays: Taken | undefined;

/** Runs code that writes messages. When it calls user code, that begins with `giveToJsonBack`. */
export function withoutToJson<Result>(action: () => Result): Result {
  ofObjects ??= take(objects);
  ofArrays ??= take(arrays);
  try {
    return action();
  } finally {
    giveToJsonBack();
  }
}

/** Gives the cell's `toJSON` back: its code runs. */
export function giveToJsonBack(): void {
  if (ofObjects) defineProperty(ofObjects.from, name, ofObjects.property);
  if (ofArrays) defineProperty(ofArrays.from, name, ofArrays.property);
  ofObjects = undefined;
  ofArrays = undefined;
}

function take(from: object): Taken | undefined {
  const property = getOwnPropertyDescriptor(from, name);
  return property && deleteProperty(from, name) ? { from, property } : undefined;
}
