import { isRecord, type Trait } from "./traits.ts";

/** A file that a person chose in a `FileUpload`. */
export interface UploadedFile {
  name: string;
  /** Its media type, as the browser knows it. */
  type: string;
  /** In bytes. */
  size: number;
  lastModified: Date;
  content: Uint8Array;
}

export const uploadedFile = (): Trait => ({
  expects: "a file with name, type, size, lastModified and content",
  accepts: (value) =>
    isRecord(value) &&
    typeof value.name === "string" &&
    value.lastModified instanceof Date &&
    value.content instanceof Uint8Array,
  initial: () => ({ name: "", type: "", size: 0, lastModified: new Date(0), content: new Uint8Array() }),
  toWire: (value) => {
    const { lastModified, ...file } = value as UploadedFile;
    return { ...file, last_modified: lastModified.getTime() };
  },
  fromWire: (wire) => {
    if (!isRecord(wire)) return wire;
    const { name, type, size, last_modified, content } = wire;
    return { name, type, size, lastModified: new Date(Number(last_modified)), content };
  },
});
