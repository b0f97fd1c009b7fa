import { readFileSync } from "node:fs";
import { type Schema, Validator } from "@cfworker/json-schema";

const file = new URL("../../../test/notebook/fixtures/nbformat.v4.5.schema.json", import.meta.url);
const validator = new Validator(JSON.parse(readFileSync(file, "utf8")) as Schema, "4", false);

/** The notebook's violations of the official nbformat 4.5 schema; empty if it is valid. */
export function schemaFaults(json: string): string[] {
  return validator
    .validate(JSON.parse(json))
    .errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}
