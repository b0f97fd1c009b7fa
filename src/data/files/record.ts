/** A row of a table or an object of a JSON file: values by column. */
export type DataRecord = Record<string, unknown>;
