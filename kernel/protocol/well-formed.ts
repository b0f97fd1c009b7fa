/**
 * JSON text whose strings are well-formed: half a surrogate pair becomes U+FFFD, as in `String.prototype.toWellFormed`. JSON itself
 * can hold one (`"\ud83d"`), but Python cannot write it to a file: nbconvert, papermill and Jupyter's save would fail or
 * leave an empty notebook. All that leaves the kernel or enters a notebook file passes here.
 *
 * @param json what `JSON.stringify` gave: it writes exactly the lone halves as `\ud83d`
 */
export function wellFormed(json: string): string {
  return json.includes("\\ud") ? json.replace(loneSurrogate, "$1\\ufffd") : json;
}

/** Preceded by an even number of backslashes: after an odd number, `ud83d` is text that follows an escaped backslash. */
const loneSurrogate = /((?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;
