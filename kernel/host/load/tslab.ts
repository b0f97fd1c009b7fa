/** The module that `import * as tslab from "tslab"` loads in a cell: tslab's display functions, implemented by this kernel. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { display as show } from "../io/display.ts";

const { version } = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

export const versions = { tslab: `halftone ${version}`, typescript: "7.0", node: process.version };

export interface Display {
  javascript(code: string): void;
  html(text: string): void;
  markdown(text: string): void;
  latex(text: string): void;
  svg(text: string): void;
  png(bytes: Uint8Array): void;
  jpeg(bytes: Uint8Array): void;
  gif(bytes: Uint8Array): void;
  pdf(bytes: Uint8Array): void;
  text(text: string): void;
  /** Any media type: text as it is, bytes as base64. */
  raw(contentType: string, content: string | Uint8Array): void;
}

/** Shows each value in a separate output. */
export const display: Display = displayWith((data) => show(data));

/** An output that each call replaces. */
export function newDisplay(): Display {
  const displayId = randomUUID();
  let isShown = false;
  return displayWith((data) => {
    show(data, { displayId, update: isShown });
    isShown = true;
  });
}

function displayWith(send: (data: Record<string, unknown>) => void): Display {
  const raw = (contentType: string, content: string | Uint8Array): void => {
    const text = typeof content === "string" ? content : Buffer.from(content).toString("base64");
    send({ [contentType]: text });
  };
  const as =
    <Content extends string | Uint8Array>(contentType: string) =>
    (content: Content): void =>
      raw(contentType, content);
  return {
    javascript: as<string>("text/javascript"),
    html: as<string>("text/html"),
    markdown: as<string>("text/markdown"),
    latex: as<string>("text/latex"),
    svg: as<string>("image/svg+xml"),
    png: as<Uint8Array>("image/png"),
    jpeg: as<Uint8Array>("image/jpeg"),
    gif: as<Uint8Array>("image/gif"),
    pdf: as<Uint8Array>("application/pdf"),
    text: as<string>("text/plain"),
    raw,
  };
}
