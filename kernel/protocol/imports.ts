/** One name that an import statement binds. `imported` is `*` for a namespace. */
export interface ImportedName {
  local: string;
  imported: string;
}

export interface CellImport {
  specifier: string;
  names: ImportedName[];
  /** The text of the import attributes (`with`), if any. */
  attributes?: string;
  /** The statement's position in its cell, for errors; absent when the cell has no such statement. */
  at?: [line: number, column: number];
}
