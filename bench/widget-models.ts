// Writes src/widgets/models.ts, the classes of all ipywidgets models, from npm's @jupyter-widgets/schema: node dist/bench/widget-models.js
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { localName } from "../src/widgets/traits.ts";

const SCHEMA = "@jupyter-widgets/schema@0.5.6";

interface Attribute {
  name: string;
  type: string | string[];
  default: unknown;
  help?: string;
  allow_none?: boolean;
  enum?: (string | null)[];
  items?: { type: string };
  widget?: string;
}
interface View {
  module: string;
  name: string | null;
  version: string;
}
interface Described {
  attributes: Attribute[];
  model: { module: string; name: string };
  view: View;
}
interface Typed {
  /** TypeScript's type. */
  type: string;
  /** The expression that makes the trait. */
  trait: string;
}

/** Attributes that many models have. They stand once, as an interface and its traits, which the models extend. */
interface Group {
  name: string;
  doc: string;
  /** The group that this one extends. */
  above?: Group;
  attributes: string[];
}
const dom: Group = {
  name: "dom",
  doc: "What all widgets on a page have.",
  attributes: ["_dom_classes", "layout", "tabbable", "tooltip"],
};
const described: Group = {
  name: "described",
  doc: "What all widgets with a description have.",
  above: dom,
  attributes: ["description", "description_allow_html"],
};
/** A model with all groups. Another one belongs to a group if it has the group's attributes as this one has them. */
const EXAMPLE = "IntSliderModel";

/** Their values are of the options' type, which `src/widgets/selection.ts` adds. */
const selections = new Set([
  "Dropdown",
  "RadioButtons",
  "Select",
  "SelectMultiple",
  "SelectionRangeSlider",
  "SelectionSlider",
  "ToggleButtons",
]);

const linkEnd: Typed = { type: "LinkEnd", trait: "linkEnd()" };
const localDateTime: Typed = { type: "string | null", trait: "orNull(localDateTime())" };
const strings: Typed = { type: "readonly string[]", trait: 'list(text(""))' };
const floats: Typed = { type: "readonly number[]", trait: "list(float(0))" };
const ints: Typed = { type: "readonly number[]", trait: "list(int(0))" };

/** What the schema calls an array or an object, by class and attribute. */
const exact: Record<string, Typed> = {
  // The schema has what ipywidgets sets when it makes one as an empty text.
  "FileUpload.description": { type: "string", trait: 'text("Upload")' },
  "FloatRangeSlider.value": { type: "readonly [number, number]", trait: "pair(float(0), [0, 1])" },
  "IntRangeSlider.value": { type: "readonly [number, number]", trait: "pair(int(0), [0, 1])" },
  "SelectionRangeSlider.index": { type: "readonly [number, number]", trait: "pair(int(0), [0, 0])" },
  "Link.source": linkEnd,
  "Link.target": linkEnd,
  "DirectionalLink.source": linkEnd,
  "DirectionalLink.target": linkEnd,
  "FileUpload.value": { type: "readonly UploadedFile[]", trait: "list(uploadedFile())" },
  "Output.outputs": { type: "readonly NotebookOutput[]", trait: "list(record())" },
  "NaiveDatetime.value": localDateTime,
  "NaiveDatetime.min": localDateTime,
  "NaiveDatetime.max": localDateTime,
  "ColorsInput.value": strings,
  "ColorsInput.allowed_tags": strings,
  "TagsInput.value": strings,
  "TagsInput.allowed_tags": strings,
  "FloatsInput.value": floats,
  "FloatsInput.allowed_tags": floats,
  "IntsInput.value": ints,
  "IntsInput.allowed_tags": ints,
  "Layout.border": { type: "string | null", trait: 'local(orNull(text("")))' },
  "DatePicker.step": { type: 'number | "any"', trait: 'either(int(1), oneOf("any", "any"))' },
  "Time.step": { type: 'number | "any"', trait: 'either(float(60), oneOf("any", "any"))' },
};

/** Attributes of ipywidgets' classes that its front end does not have. */
const shorthands: Record<string, Attribute[]> = {
  Layout: [{ name: "border", type: "string", default: null, allow_none: true, help: "The border of all four sides." }],
};

const text = (value: unknown): string => JSON.stringify(value);
const isIdentity = (name: string): boolean => /^_(model|view)_/.test(name);

function typed(owner: string, attribute: Attribute): Typed {
  const known = exact[`${owner}.${attribute.name}`];
  if (known) return known;
  const { type, allow_none, widget, default: initial } = attribute;
  if (attribute.enum) {
    const values = [...attribute.enum.filter((each) => each !== null), ...(allow_none ? [null] : [])];
    return { type: values.map(text).join(" | "), trait: `oneOf(${[initial, ...values].map(text).join(", ")})` };
  }
  if (type === "reference") {
    return { type: widget!, trait: `part(() => ${widget})` };
  }
  if (type === "array") {
    const item = attribute.items?.type === "reference" ? undefined : plain(attribute.items!.type, "");
    return item
      ? {
          type: `readonly ${item.type}[]`,
          trait: `list(${item.trait}${text(initial) === "[]" ? "" : `, ${text(initial)}`})`,
        }
      : { type: "readonly WidgetReference[]", trait: "list(widget())" };
  }
  const found = plain(type as string, initial);
  return allow_none
    ? { type: `${found.type} | null`, trait: `orNull(${found.trait}${initial === null ? "" : `, ${text(initial)}`})` }
    : found;
}

function plain(type: string, initial: unknown): Typed {
  switch (type) {
    case "int":
      return { type: "number", trait: `int(${initial || 0})` };
    case "float":
      return { type: "number", trait: `float(${initial || 0})` };
    case "bool":
      return { type: "boolean", trait: `bool(${initial ?? false})` };
    case "string":
      return { type: "string", trait: `text(${text(initial ?? "")})` };
    case "bytes":
      return { type: "Uint8Array", trait: "bytes()" };
    case "Date":
      return { type: "string", trait: "date()" };
    case "Time":
      return { type: "string", trait: "time()" };
    case "Datetime":
      return { type: "Date", trait: "dateTime()" };
    default:
      throw new Error(`the schema has a type that this script does not know: ${type}`);
  }
}

function settleOf(name: string, attributes: readonly Attribute[]): string {
  if (name === "Layout") return "settle: everyBorder,";
  if (name === "Tab") return "settle: firstPage,";
  const of = (wanted: string): Attribute | undefined => attributes.find((each) => each.name === wanted);
  const isNumber = (wanted: string): boolean => /^(?:int|float)$/.test(String(of(wanted)?.type));
  const hasBounds = isNumber("min") && isNumber("max") && !of("min")!.allow_none;
  if (!hasBounds || !of("value")) return "";
  return `settle: withinBounds(${text(name)}${of("base") ? ", logarithmic" : ""}),`;
}

/** An attribute of an interface, with what the schema says of it. */
function member(owner: string, attribute: Attribute): string {
  const help = attribute.help?.trim();
  const doc = help
    ? `  /** ${help
        .replace(/[.?]?$/, ".")
        .replaceAll("*/", "* /")
        .replaceAll(/\s+/g, " ")} */\n`
    : "";
  const name = localName(attribute.name);
  const { type } = typed(owner, attribute);
  return attribute.type === "reference"
    ? `${doc}  get ${name}(): ${type};\n  set ${name}(value: ${type} | Init<${type}Traits>);\n`
    : `${doc}  ${name}: ${type};\n`;
}

const traitOf = (owner: string, attribute: Attribute): string =>
  `${localName(attribute.name)}: ${typed(owner, attribute).trait},\n`;

const nameOf = ({ model }: Described): string => model.name.replace(/Model$/, "");
const namesIn = ({ above, attributes }: Group): string[] => [...(above ? namesIn(above) : []), ...attributes];
const interfaceOf = ({ name }: Group): string => `${name[0]!.toUpperCase()}${name.slice(1)}Traits`;
const heritage = (group?: Group): string => (group ? ` extends ${interfaceOf(group)}` : "");
const spread = (group?: Group): string => (group ? `...${group.name}Traits,\n` : "");

/** The last group to which the model belongs. */
function groupOf(model: Described, example: Described): Group | undefined {
  const lines = (of: Described, wanted: string): string[] =>
    of.attributes
      .filter(({ name }) => name === wanted)
      .map((each) => member(nameOf(of), each) + traitOf(nameOf(of), each));
  const isSame = (wanted: string): boolean => lines(model, wanted).join() === lines(example, wanted).join();
  return [described, dom].find((group) => namesIn(group).every(isSame));
}

function identityOf(given: Described): string {
  const { model, view } = given;
  const [module, viewModule] = [model.module, view.module].map((each) => each.replace("@jupyter-widgets/", ""));
  const name = nameOf(given);
  const other = {
    ...(view.name !== `${name}View` && { name: view.name }),
    ...(viewModule !== module && { module: viewModule }),
  };
  const isOther = Object.keys(other).length > 0;
  return `identity(${text(module)}, ${text(name)}${isOther ? `, ${text(other)}` : ""})`;
}

function classOf(given: Described, example: Described): string {
  const name = nameOf(given);
  const group = groupOf(given, example);
  const all = [...(shorthands[name] ?? []), ...given.attributes.filter((each) => !isIdentity(each.name))];
  const own = all.filter((each) => !(group && namesIn(group).includes(each.name)));
  const types = own.map((each) => member(name, each)).join("");
  const traits = spread(group) + own.map((each) => traitOf(name, each)).join("");
  const model = `{ name: ${text(name)}, identity: ${identityOf(given)}, ${settleOf(name, all)} traits: {\n${traits}} }`;
  const declared = `/** The attributes of \`${name}\`. */\nexport interface ${name}Traits${heritage(group)} {\n${types}}\n`;
  if (selections.has(name)) return `${declared}export const ${name}Model: Model = ${model};\n`;
  return `${declared}export type ${name} = WidgetOf<${name}Traits>;
/** The \`${name}\` of ipywidgets. */
export const ${name}: WidgetClass<${name}Traits> = widgetClass(${model});
`;
}

function declarationOf(group: Group, example: Described): string {
  const own = example.attributes.filter(({ name }) => group.attributes.includes(name));
  return `/** ${group.doc} */
export interface ${interfaceOf(group)}${heritage(group.above)} {
${own.map((each) => member("", each)).join("")}}
const ${group.name}Traits = {
${spread(group.above)}${own.map((each) => traitOf("", each)).join("")}};
`;
}

function fileOf(models: readonly Described[]): string {
  const example = models.find(({ model }) => model.name === EXAMPLE)!;
  return `// Made by bench/widget-models.ts from ${SCHEMA}. Do not edit.
import { date, dateTime, localDateTime, time } from "./dates.ts";
import { everyBorder, firstPage, identity, logarithmic, type WidgetClass, type WidgetOf, widgetClass, withinBounds } from "./define.ts";
import type { NotebookOutput } from "../display/output-log.ts";
import type { WidgetReference } from "./registry.ts";
import { bool, bytes, either, float, int, type LinkEnd, linkEnd, list, local, oneOf, orNull, pair, part, record, text, widget } from "./traits.ts";
import { type UploadedFile, uploadedFile } from "./upload.ts";
import type { Model } from "./model.ts";
import type { Init } from "./widget.ts";

${[dom, described].map((each) => declarationOf(each, example)).join("\n")}
${models.map((each) => classOf(each, example)).join("\n")}`;
}

const folder = mkdtempSync(path.join(tmpdir(), "halftone-schema-"));
try {
  execFileSync("npm", ["pack", SCHEMA, "--silent"], { cwd: folder });
  execFileSync("sh", ["-c", "tar xzf *.tgz"], { cwd: folder });
  const models: Described[] = JSON.parse(
    readFileSync(path.join(folder, "package/jupyterwidgetmodels.latest.json"), "utf8"),
  );
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const target = path.join(root, "src/widgets/models.ts");
  writeFileSync(target, fileOf(models));
  execFileSync(path.join(root, "node_modules/.bin/biome"), ["check", "--write", target], { stdio: "inherit" });
  console.log(`${models.length} models`);
} finally {
  rmSync(folder, { recursive: true });
}
