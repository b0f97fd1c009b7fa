import { parseFragment, serialize, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { escapeHtml } from "../../display/html.ts";
import { isNumberColumn, isNumberText } from "../../display/number-text.ts";

/** Sanitizes HTML from markdown or a cell's output: every tag is closed, scripts are removed, and nothing is fetched. */

export interface Cleaning {
  /** Returns the data address of an image, or undefined if the page cannot embed it. */
  image: (address: string) => string | undefined;
}

export function cleanHtml(html: string, { image }: Cleaning): string {
  const fragment = parseFragment(html);
  fragment.childNodes = clean(fragment.childNodes, image);
  return serialize(fragment);
}

/** Whether this HTML has scripts or style sheets and therefore needs a frame of its own. */
export function needsFrame(html: string): boolean {
  return some(parseFragment(html).childNodes, ({ tagName }) => FRAMED.has(tagName));
}

/** The texts of the inline scripts in `html`. The page's policy allows them by their hashes. */
export function scriptsIn(html: string): string[] {
  const found: string[] = [];
  some(parseFragment(html).childNodes, (element) => {
    if (element.tagName === "script")
      found.push(element.childNodes.map((node) => ("value" in node ? node.value : "")).join(""));
    return false;
  });
  return found;
}

const FRAMED = new Set(["script", "style", "iframe", "object", "embed", "canvas", "link", "form"]);
const DROPPED = new Set([
  "script",
  "iframe",
  "object",
  "embed",
  "link",
  "meta",
  "base",
  "title",
  "template",
  "frame",
  "frameset",
  // These change an attribute after it has been checked.
  "animate",
  "set",
]);

function some(nodes: Tree.ChildNode[], test: (element: Tree.Element) => boolean): boolean {
  return nodes.some((node) => "tagName" in node && (test(node) || some(node.childNodes, test)));
}

function clean(nodes: Tree.ChildNode[], image: Cleaning["image"]): Tree.ChildNode[] {
  return nodes.flatMap((node): Tree.ChildNode[] => {
    if (!("tagName" in node)) return node.nodeName === "#comment" ? [] : [node];
    if (DROPPED.has(node.tagName)) return [];
    node.attrs = node.attrs.filter(({ name, value }) => allowed(name, value));
    node.childNodes = clean(node.childNodes, image);
    if (node.tagName === "img" || node.tagName === "source") return [withImage(node, image)];
    if (node.tagName === "table") return [wrapped(node)];
    // An empty header cell becomes a data cell, because a screen reader would announce it with every cell.
    if (node.tagName === "th" && node.childNodes.length === 0) node.tagName = node.nodeName = "td";
    return [node];
  });
}

const REFUSED = new Set(["srcdoc", "srcset", "ping", "action", "formaction", "background", "poster"]);

function allowed(name: string, value: string): boolean {
  if (name.startsWith("on") || REFUSED.has(name)) return false;
  // A backslash is rejected because a CSS escape can spell any of these words.
  if (name === "style") return !/\\|url\s*\(|image-set|@import|position\s*:\s*fixed/i.test(value);
  return (name !== "href" && name !== "xlink:href") || isHarmlessAddress(value);
}

/** Whether an address has no scheme, a scheme that only links to another page, or is an image; parsed like in a browser (URL standard, 4.4). */
export function isHarmlessAddress(address: string): boolean {
  const read = address.replaceAll(/[\t\n\r]/g, "").replace(/^[\0-\x20]+/, "");
  const scheme = /^[^/?#]*?:/.exec(read)?.[0].toLowerCase();
  if (scheme === undefined || scheme === "http:" || scheme === "https:" || scheme === "mailto:") return true;
  return /^data:image\/(png|jpeg|gif|webp)[;,]/i.test(read);
}

function withImage(node: Tree.Element, image: Cleaning["image"]): Tree.ChildNode {
  const src = node.attrs.find(({ name }) => name === "src");
  const alt = node.attrs.find(({ name }) => name === "alt");
  if (!src) return node;
  const dataAddress = image(src.value);
  if (dataAddress === undefined) return link(src.value, `image: ${alt?.value || src.value}`);
  src.value = dataAddress;
  if (!alt) node.attrs.push({ name: "alt", value: "" });
  return node;
}

function element(tagName: string, attrs: Record<string, string>, childNodes: Tree.ChildNode[]): Tree.Element {
  const {
    childNodes: [parsed],
  } = parseFragment(`<${tagName}></${tagName}>`);
  const node = parsed as Tree.Element;
  node.attrs = Object.entries(attrs).map(([name, value]) => ({ name, value }));
  node.childNodes = childNodes;
  return node;
}

function link(href: string, label: string): Tree.Element {
  const { childNodes } = parseFragment(escapeHtml(label));
  return element("a", allowed("href", href) ? { href } : {}, childNodes);
}

/** Puts a table into a box that scrolls when the table is wide. Numbers are never broken, and columns of numbers are right-aligned. */
function wrapped(table: Tree.Element): Tree.Element {
  const rows = descendants(table, "tr").map((row) => row.childNodes.filter(isCell));
  const spans = rows.flat().some(({ attrs }) => attrs.some(({ name }) => name === "colspan" || name === "rowspan"));
  const body = rows.filter((row) => row.some(({ tagName }) => tagName === "td"));
  const width = Math.max(0, ...rows.map((row) => row.length));
  const right = Array.from({ length: spans ? 0 : width }, (_, column) =>
    isNumberColumn(body.map((row) => (row[column] ? textOf(row[column]) : ""))),
  );
  for (const row of rows)
    for (const [column, cell] of row.entries()) {
      if (isNumberText(textOf(cell))) addClass(cell, "whole");
      if (!right[column]) continue;
      addClass(cell, "number");
      // Remove the table's own alignment, which is often left for all text.
      for (const each of cell.attrs)
        if (each.name === "style") each.value = each.value.replaceAll(/text-align\s*:[^;]*;?/gi, "");
    }
  return element("div", { class: "scroll" }, [table]);
}

function descendants(node: Tree.Element, tagName: string): Tree.Element[] {
  return node.childNodes.flatMap((child) => {
    if (!("tagName" in child) || child.tagName === "table") return [];
    return child.tagName === tagName ? [child] : descendants(child, tagName);
  });
}

function isCell(node: Tree.ChildNode): node is Tree.Element {
  return "tagName" in node && (node.tagName === "td" || node.tagName === "th");
}

function textOf(node: Tree.ChildNode): string {
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}

function addClass(node: Tree.Element, name: string): void {
  const given = node.attrs.find((each) => each.name === "class");
  if (given) given.value += ` ${name}`;
  else node.attrs.push({ name: "class", value: name });
}
