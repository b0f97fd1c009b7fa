/** The parts of the language server protocol (3.17) that the checker reads. Lines and characters count from 0, in UTF-16. */
export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export interface ServerDiagnostic {
  range: Range;
  /** 1 is an error. */
  severity?: number;
  code?: number;
  message: string;
  relatedInformation?: { location: { uri: string; range: Range }; message: string }[];
}

export interface ServerCompletion {
  label: string;
  kind?: number;
  sortText?: string;
  insertText?: string;
  filterText?: string;
  textEdit?: { range: Range; newText: string } | { insert: Range; replace: Range; newText: string };
  detail?: string;
  documentation?: Markup;
  data?: unknown;
}

export interface ServerCompletions {
  items: ServerCompletion[];
  itemDefaults?: { editRange?: Range | { insert: Range; replace: Range }; data?: unknown };
}

export type Markup = string | { kind: string; value: string };

export interface ServerHover {
  contents: Markup;
  range?: Range;
}

export interface ServerSignatureHelp {
  signatures: {
    label: string;
    documentation?: Markup;
    parameters?: { label: string | [number, number]; documentation?: Markup }[];
    activeParameter?: number;
  }[];
  activeSignature?: number;
  activeParameter?: number;
}
