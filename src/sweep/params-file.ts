import { isObject } from "../base/json-schema.ts";
import { UserError } from "../base/user-error.ts";
import { readColumns } from "../data/files/read-columns.ts";
import { brokenJson } from "../notebook/json-place.ts";
import { parseJsonValue } from "../notebook/parameter-values.ts";
import type { Parameters } from "../notebook/parameters.ts";
import { readTextFile } from "../notebook/read-text.ts";
import { type Axis, parseAxis } from "./axis.ts";

/** What a file of `--params` gives: rows, each a point, or axes, as `-p` does. */
export interface ParamsFile {
  rows: Parameters[];
  axes: Axis[];
}

/**
 * Reads a file of `--params`: a CSV file or a JSON list of objects has a row for each point, in which an empty cell leaves the notebook's default; a JSON object has an axis for each name, its
 * values as a list or as a text of `-p`.
 * @throws UserError
 */
export async function readParams(file: string): Promise<ParamsFile> {
  const text = readTextFile(file, { option: "--params", wanted: "a CSV or JSON file of parameters" });
  if (/\.[ct]sv$/i.test(file)) return { rows: await csvRows(file), axes: [] };
  const value = parseJson(text.replace(/^\uFEFF/, ""), file);
  const where = `--params ${file}`;
  if (Array.isArray(value)) {
    if (value.length === 0) throw new UserError(`${where}: the list is empty, so there is no point to run.`);
    const wrong = value.findIndex((row) => !isObject(row));
    if (wrong >= 0)
      throw new UserError(
        `${where}: element ${wrong} should be an object {"name": value, ...}, got ${JSON.stringify(value[wrong])}.`,
      );
    return { rows: requireNames(value as Parameters[], where), axes: [] };
  }
  if (!isObject(value))
    throw new UserError(`${where} should hold a JSON list of objects, or one object {"name": [values], ...}.`);
  requireNames([value], where);
  const axes = Object.entries(value).map(([name, given]): Axis => {
    if (typeof given === "string") return parseAxis(name, given);
    if (Array.isArray(given) && given.length === 0)
      throw new UserError(`${where}: the list of ${name} is empty, so there is no point to run.`);
    return { name, kind: "values", values: Array.isArray(given) ? given : [given] };
  });
  return { rows: [{}], axes };
}

async function csvRows(file: string): Promise<Parameters[]> {
  let table: Awaited<ReturnType<typeof readColumns>>;
  try {
    table = await readColumns(file);
  } catch (error) {
    throw new UserError(`--params ${(error as Error).message}`);
  }
  if (table.length === 0) throw new UserError(`--params ${file}: the file has no rows, so there is no point to run.`);
  const dates = table.columns.find((name) => table.types[name] === "date");
  if (dates !== undefined) table = await readColumns(file, { types: { [dates]: "string" } });
  const rows = table.values.map((row) =>
    Object.fromEntries(table.columns.map((name, at) => [name, row[at]]).filter(([, value]) => !isMissing(value))),
  );
  return requireNames(rows, `--params ${file}`);
}

/** An empty cell of a table: the point has the notebook's default. */
const isMissing = (value: unknown) => value === null || Number.isNaN(value);

function requireNames(rows: Parameters[], where: string): Parameters[] {
  if (rows.every((row) => Object.keys(row).length === 0))
    throw new UserError(`${where} gives no parameter a value, so there is nothing to try.`);
  return rows;
}

function parseJson(text: string, file: string): unknown {
  try {
    return parseJsonValue(text, `--params ${file}`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const hint = /\.ya?ml$/i.test(file) ? " YAML is not supported." : "";
    throw new UserError(`--params ${file} ${brokenJson(text)}${hint} It should be a JSON or CSV file.`);
  }
}
