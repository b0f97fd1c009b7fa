// Descriptions of the running program's values, from the host.

export interface Member {
  name: string;
  kind: "function" | "class" | "property" | "variable";
}

export interface Description {
  /** The source's first line for a function, the type's name for another value. */
  signature: string;
  kind: "function" | "class" | "value";
  preview: string;
  source?: string;
}
