/** What the numbers of a floating-point tensor are stored as. Its tfjs dtype is "float32" in every case. */
export type Storage = "float16" | "bfloat16" | "float32" | "float64";

/** TensorFlow's type numbers (tensorflow/core/framework/types.proto). */
export const FLOAT = 1;
export const DOUBLE = 2;
export const INT32 = 3;
export const BFLOAT16 = 14;
export const HALF = 19;

export const typeOf: Record<Storage, number> = { float16: HALF, bfloat16: BFLOAT16, float32: FLOAT, float64: DOUBLE };

const storages = new Map<unknown, Storage>(Object.entries(typeOf).map(([name, type]) => [type, name as Storage]));

/** The storage of a TensorFlow type; undefined for what is no real floating-point type. */
export const storageOfType = (type: unknown): Storage | undefined => storages.get(type);

export const storageNames = Object.keys(typeOf) as Storage[];

export const bytesPerNumber: Record<Storage, number> = { float16: 2, bfloat16: 2, float32: 4, float64: 8 };

/** Largest finite number; a JavaScript number beyond it does not fit. */
export const largest: Record<Storage, number> = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
};

/** Smallest number that still has all its digits. */
export const smallestNormal: Record<Storage, number> = {
  float16: 2 ** -14,
  bfloat16: 2 ** -126,
  float32: 2 ** -126,
  float64: 2 ** -1022,
};

/** What two storages meet in: the wider; float16 and bfloat16, neither of which holds the other, in float32. */
export function promoted(a: Storage, b: Storage): Storage {
  if (a === b) return a;
  return a === "float64" || b === "float64" ? "float64" : "float32";
}

/** Refuses what is no storage type, with the names of those that are. */
export function checkStorage(asked: unknown, allowed: readonly string[] = storageNames): void {
  if (!allowed.includes(asked as string)) {
    const found = typeof asked === "string" ? `"${asked}"` : String(asked);
    throw new TypeError(`expected ${allowed.map((name) => `"${name}"`).join(" or ")}, got ${found}`);
  }
}
