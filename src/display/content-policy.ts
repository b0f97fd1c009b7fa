import { createHash } from "node:crypto";

interface PolicyOptions {
  /** Whether scripts may compile text, as plotly's WebGL traces do. */
  needsEval?: boolean;
  /** Also allows scripts with this nonce. */
  nonce?: string | undefined;
}

/** A Content-Security-Policy for a page that fetches nothing and runs only these inline scripts. */
export function contentPolicy(scripts: readonly string[], { needsEval = false, nonce }: PolicyOptions = {}): string {
  const hashes = scripts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  if (nonce !== undefined) hashes.push(`'nonce-${nonce}'`);
  const run = [...hashes, ...(needsEval ? ["'unsafe-eval'"] : [])].join(" ") || "'none'";
  return `default-src 'none'; script-src ${run}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data:; worker-src blob:`;
}

/** JavaScript as it stands in a `<script>` element of a page, which must not contain the element's end. */
export function inScript(code: string): string {
  return code.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
}

/** A value as JSON that may stand in a `<script>` element, as data or as JavaScript. */
export function jsonInScript(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
