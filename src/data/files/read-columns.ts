import { basename } from "node:path";
import { parse } from "csv-parse";
import { type ColumnType, columnOfType, inferColumn, missingTexts } from "./column-types.ts";
import { type Columns, columnsOf, type NotedColumn } from "./columns.ts";
import { openFile } from "./open.ts";
import { type CsvOptions, lineEnds } from "./records.ts";

/** Options of `readColumns`. */
export interface ColumnsOptions extends CsvOptions {
  /** The types of some columns; of the others they are inferred. `"string"` keeps the zeros of `00123`. */
  types?: Readonly<Record<string, ColumnType>>;
  /** The texts that stand for a missing value; by default those of pandas, among them the empty text, `NA` and `null`. */
  missing?: readonly string[];
}

/** Texts by column, and the line of each row. */
interface TextColumns {
  names: string[];
  texts: string[][];
  lines: number[];
}

/**
 * Reads a CSV file (or a `.gz` of one) into columns of numbers, booleans, dates and strings, as pandas' `read_csv` does; the delimiter
 * of a `.tsv` is a tab. A column has a type where all of its values have it, missing ones aside; otherwise it has strings, and
 * `notes` says which value is different. Dates are those of ISO 8601, in UTC where they have no offset.
 *
 * @throws Error with the line number when a row has more or fewer values than there are columns, or the file has no header
 * @throws RangeError with the line number when a value is not of the type given for its column, or there is no such column
 */
export async function readColumns(path: string, options: ColumnsOptions = {}): Promise<Columns> {
  const { types = {}, missing = missingTexts } = options;
  const { names, texts, lines } = await readTexts(path, options);
  for (const name of Object.keys(types)) {
    if (!names.includes(name)) throw new RangeError(`${path} has no column ${name}; it has ${names.join(", ")}`);
  }
  const absent = new Set(missing);
  const isMissing = (text: string) => absent.has(text);
  const columns = names.map((name, c): [string, NotedColumn] => {
    const type = types[name];
    const own = texts[c]!;
    if (type) return [name, columnOfType(name, type, own, isMissing, (row) => `${path}:${lines[row]}`)];
    return [name, inferColumn(own, isMissing, (row) => lines[row]!)];
  });
  return columnsOf(basename(path), new Map(columns), lines.length);
}

async function readTexts(path: string, { delimiter, columns }: CsvOptions): Promise<TextColumns> {
  const input = openFile(path);
  const tab = /\.tsv(\.gz)?$/i.test(path) ? "\t" : ",";
  const parser = parse({
    delimiter: delimiter ?? tab,
    bom: true,
    skip_empty_lines: true,
    info: true,
    record_delimiter: lineEnds,
  });
  input.once("error", (error) => parser.destroy(error));
  input.pipe(parser);
  let names = columns ? uniqueNames(columns) : undefined;
  const texts: string[][] = names?.map(() => []) ?? [];
  const lines: number[] = [];
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (!names) {
        names = uniqueNames(record);
        for (const _ of names) texts.push([]);
        continue;
      }
      if (record.length !== names.length) {
        throw new Error(`expected ${names.length} values, got ${record.length} on line ${info.lines}`);
      }
      for (let c = 0; c < record.length; c++) texts[c]!.push(record[c]!);
      lines.push(info.lines);
    }
  } catch (error) {
    const { message } = error as Error;
    throw new Error(message.startsWith("ENOENT") ? message : `${path}: ${message}`, { cause: error });
  } finally {
    input.destroy();
  }
  if (!names) throw new Error(`${path} is empty: expected a line with the column names`);
  return { names, texts, lines };
}

/** The names, of which pandas numbers those that occur again: `a`, `a.1`; an empty one is `Unnamed: 2`. */
function uniqueNames(given: readonly string[]): string[] {
  const names: string[] = [];
  given.forEach((name, c) => {
    const own = name === "" ? `Unnamed: ${c}` : name;
    let unique = own;
    for (let n = 1; names.includes(unique); n++) unique = `${own}.${n}`;
    names.push(unique);
  });
  return names;
}
