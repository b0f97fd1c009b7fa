import { escapeHtml } from "./html.ts";

interface HtmlPage {
  title: string;
  /** The Content-Security-Policy. */
  policy: string;
  /** CSS. */
  style: string;
  /** HTML. */
  body: string;
}

/** A whole HTML page, which follows the reader's light or dark colour scheme. */
export function htmlPage({ title, policy, style, body }: HtmlPage): string {
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">` +
    `<meta name="generator" content="halftone"><title>${escapeHtml(title)}</title><style>${style}</style></head>\n` +
    `<body>${body}</body></html>\n`
  );
}
