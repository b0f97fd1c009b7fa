import { readFileSync } from "node:fs";
import { standIn } from "./stand-in.ts";

/** The JSON of a file. `caller` begins the message of the error, which is thrown where the file holds something else. */
export function readJsonFile(caller: string, file: string): unknown {
  const text = readFileSync(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${caller}: ${file} is not valid JSON${standIn(text)}`, { cause });
  }
}
