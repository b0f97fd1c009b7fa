/** The storage type of a floating-point tensor. Its tfjs dtype is "float32" in every case. */
export type Storage = "float16" | "bfloat16" | "float32" | "float64";

/** TensorFlow's type numbers (tensorflow/core/framework/types.proto). */
export const FLOAT = 1;
export const DOUBLE = 2;
export const INT32 = 3;
export const INT64 = 9;
export const BFLOAT16 = 14;
export const HALF = 19;

/** Whether tensors of a type are not numbers: strings, resources, variants. */
export const isNoNumber = (type: number): boolean => type === 7 || type === 20 || type === 21;

export const typeOf: Record<Storage, number> = { float16: HALF, bfloat16: BFLOAT16, float32: FLOAT, float64: DOUBLE };

const storages = new Map<unknown, Storage>(Object.entries(typeOf).map(([name, type]) => [type, name as Storage]));

/** The storage of a TensorFlow type; undefined for a type that is not a real floating-point type. */
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

/** Smallest positive number with full precision (not subnormal). */
export const smallestNormal: Record<Storage, number> = {
  float16: 2 ** -14,
  bfloat16: 2 ** -126,
  float32: 2 ** -126,
  float64: 2 ** -1022,
};

/**
 * The common storage type of two: the wider one. For float16 and bfloat16, neither of which contains the other, it is
 * float32.
 */
export function promoted(a: Storage, b: Storage): Storage {
  if (a === b) return a;
  return a === "float64" || b === "float64" ? "float64" : "float32";
}

/** Throws for a value that is not a storage type. The message lists the storage types. */
export function checkStorage(asked: unknown, allowed: readonly string[] = storageNames): void {
  if (!allowed.includes(asked as string)) {
    const found = typeof asked === "string" ? `"${asked}"` : String(asked);
    throw new TypeError(`expected ${allowed.map((name) => `"${name}"`).join(" or ")}, got ${found}`);
  }
}
