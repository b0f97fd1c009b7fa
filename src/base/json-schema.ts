import * as v from "valibot";

/** Whether a JSON value is an object, not a list. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A JSON object, unchanged. valibot's own objects and records also accept arrays, and drop keys such as `constructor`. */
export const jsonObject = v.custom<Record<string, unknown>>(isObject);

/** A JSON object whose values all have one type. */
export const recordOf = <Value>(item: v.GenericSchema<Value>) =>
  v.custom<Record<string, Value>>(
    (object) => isObject(object) && Object.values(object).every((value) => v.is(item, value)),
  );
