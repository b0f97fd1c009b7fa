import { readFileSync } from "node:fs";
import path from "node:path";

/** Converts an image's address in the notebook to a data address (`data:image/png;base64,...`); undefined if the page cannot embed the image. */
export type ImageSource = (address: string) => string | undefined;

const TYPES: Record<string, string> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".svg": "image/svg+xml",
};

/** Embeds attachments of the cell, files in or below the notebook's folder, and data addresses. */
export function imageSource(folder: string, attachments: Record<string, Record<string, unknown>> = {}): ImageSource {
  return (address) => {
    if (address.startsWith("data:image/")) return address;
    if (address.startsWith("attachment:"))
      return attachedImage(attachments[decode(address.slice("attachment:".length))]);
    if (/^[a-z][a-z\d+.-]*:|^\/\//i.test(address)) return undefined;
    const file = path.resolve(folder, decode(address.replace(/[?#].*$/, "")));
    const type = TYPES[path.extname(file).toLowerCase()];
    const inside = !path.relative(folder, file).startsWith("..");
    if (!type || !inside) return undefined;
    try {
      return `data:${type};base64,${readFileSync(file).toString("base64")}`;
    } catch {
      return undefined;
    }
  };
}

function attachedImage(bundle: Record<string, unknown> | undefined): string | undefined {
  const found = Object.entries(bundle ?? {}).find(
    ([type, data]) => type.startsWith("image/") && typeof data === "string",
  );
  return found && imageData(found[0], found[1] as string);
}

/** The data address of an image in a mime bundle, where images are base64, except SVG, which is text. */
export function imageData(type: string, data: string): string {
  const base64 = type === "image/svg+xml" ? Buffer.from(data).toString("base64") : data.replaceAll(/\s/g, "");
  return `data:${type};base64,${base64}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
