const STRING = String.raw`"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"`;
const SCALAR = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null`;
const SPACE = /[ \t\r\n]*/y;
const TOKEN = new RegExp(String.raw`[ \t\r\n]*(?:(${STRING})|(${SCALAR})|([[\]{},:]))`, "y");

/** Describes the first syntax error in `json`, with the same text on every version of Node: "is not valid JSON at line 3, ...". */
export function brokenJson(json: string): string {
  const offset = firstBrokenOffset(json);
  const lines = json.slice(0, offset).split("\n");
  const [next] = json.slice(offset, offset + 2);
  const found = next === undefined ? "end of file" : printable(next);
  return `is not valid JSON at line ${lines.length}, column ${lines.at(-1)!.length + 1}: unexpected ${found}.`;
}

/** The character itself if it is printable ASCII, otherwise its code point. */
function printable(character: string): string {
  const code = character.codePointAt(0)!;
  return code > 0x20 && code < 0x7f ? character : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The offset of the first token with which `json` is no longer valid JSON. */
function firstBrokenOffset(json: string): number {
  const open: string[] = [];
  let expect: "value" | "valueOrEnd" | "key" | "keyOrEnd" | "colon" | "commaOrEnd" | "nothing" = "value";
  let offset = 0;
  for (;;) {
    TOKEN.lastIndex = offset;
    const found = TOKEN.exec(json);
    SPACE.lastIndex = offset;
    const start = offset + SPACE.exec(json)![0].length;
    if (!found) return start;
    const [, string, scalar, mark] = found;
    const ended = () => (open.length === 0 ? "nothing" : "commaOrEnd");
    if ((expect === "key" || expect === "keyOrEnd") && string) expect = "colon";
    else if (expect === "colon" && mark === ":") expect = "value";
    else if (expect === "commaOrEnd" && mark === ",") expect = open.at(-1) === "{" ? "key" : "value";
    else if ((expect === "value" || expect === "valueOrEnd") && (string || scalar)) expect = ended();
    else if ((expect === "value" || expect === "valueOrEnd") && (mark === "{" || mark === "[")) {
      open.push(mark);
      expect = mark === "{" ? "keyOrEnd" : "valueOrEnd";
    } else if (
      (mark === "}" && open.at(-1) === "{" && (expect === "keyOrEnd" || expect === "commaOrEnd")) ||
      (mark === "]" && open.at(-1) === "[" && (expect === "valueOrEnd" || expect === "commaOrEnd"))
    ) {
      open.pop();
      expect = ended();
    } else return start;
    offset = TOKEN.lastIndex;
  }
}
