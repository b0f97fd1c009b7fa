/** One name that an import statement binds. `imported` is `*` for a namespace. */
export interface ImportedName {
  local: string;
  imported: string;
}

export interface CellImport {
  specifier: string;
  names: ImportedName[];
  /** The text of the `with` object, if one stands there. */
  attributes?: string;
  /** Where the statement stands in its cell, for the error that it may cause; absent when the cell has no such statement. */
  at?: [line: number, column: number];
}
