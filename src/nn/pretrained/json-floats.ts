// Python tells 2.0 from 2, and transformers refuses one for the other. JavaScript's JSON does not keep the difference.

const MARK = "halftone.float:";
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A JSON text in which every whole number that is written as a float, such as 2.0, is a string that `withFloats` turns back. */
export const markFloats = (text: string): string =>
  text.replace(STRING_OR_NUMBER, (part) =>
    /^[^"].*[.eE]/.test(part) && Number.isInteger(Number(part)) ? `"${MARK}${part}"` : part,
  );

/** The JSON text with the floats as they were. */
export const withFloats = (text: string): string => text.replaceAll(new RegExp(`"${MARK}([^"]*)"`, "g"), "$1");
