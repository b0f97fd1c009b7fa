import path from "node:path";
import { requireWritable, writeWhole } from "../base/files.ts";
import { UserError } from "../base/user-error.ts";
import { stopIfInterrupted } from "../runtime/interrupts.ts";
import { drawImages } from "./draw.ts";
import { figurePage } from "./figure-page.ts";
import { asJson, type FigureParts } from "./figure-parts.ts";

/** Options of a figure's `save`. */
export interface SaveFigureOptions {
  /** In CSS pixels; by default the layout's, otherwise 760. A page is as wide as the window by default. */
  width?: number;
  /** In CSS pixels; by default the layout's, otherwise 450. */
  height?: number;
  /** Pixels of a PNG per CSS pixel; 2 by default. */
  scale?: number;
  /** The colour behind the figure, for example `"transparent"`; by default the layout's, and white in an image where that is transparent. */
  background?: string;
}

const formats = ["png", "svg", "html", "json"] as const;
type Format = (typeof formats)[number];

/** How often a running browser is checked for an interrupt; a cell that is asked to stop has 100 ms to do so by itself. */
const CHECK_EVERY_MS = 50;
const ADVICE = "choose another file name";

/** Writes a figure to a file, which appears whole or not at all, and makes its folder; its ending gives the format. */
export async function saveFigure(figure: FigureParts, file: string, options: SaveFigureOptions = {}): Promise<void> {
  const format = formatOf(file);
  for (const name of ["width", "height", "scale"] as const) checkPositive(name, options[name]);
  // Absolute, because the working folder may change while the browser draws.
  const target = path.resolve(file);
  requireWritable(target, ADVICE);
  const content = await contentOf(asJson(withOptions(figure, format, options)), format, options);
  writeWhole(target, content, ADVICE);
}

function formatOf(file: string): Format {
  if (typeof file !== "string") throw new TypeError(`figure.save: expected a file name, got ${file}`);
  const format = formats.find((ending) => file.toLowerCase().endsWith(`.${ending}`));
  if (format) return format;
  throw new RangeError(`figure.save: the name of ${file} must end in ${formats.map((each) => `.${each}`).join(", ")}`);
}

function checkPositive(name: string, value: number | undefined): void {
  if (value === undefined || (typeof value === "number" && value > 0 && value < Number.POSITIVE_INFINITY)) return;
  throw new RangeError(`figure.save: ${name} must be a positive number, got ${value}`);
}

/** The figure with the size and the background of these options. */
function withOptions({ data, layout, config }: FigureParts, format: Format, options: SaveFigureOptions): FigureParts {
  const { width, height, background = backgroundOf(layout, format) } = options;
  const own = Object.entries({ width, height, paper_bgcolor: background }).filter(([, value]) => value !== undefined);
  return { data, layout: { ...layout, ...Object.fromEntries(own) }, config };
}

function backgroundOf({ paper_bgcolor }: FigureParts["layout"], format: Format): string | undefined {
  const isImage = format === "png" || format === "svg";
  const isTransparent = /^transparent$|,\s*0(\.0+)?\)$/.test(String(paper_bgcolor ?? ""));
  return isImage && isTransparent ? "white" : undefined;
}

async function contentOf(
  figure: FigureParts,
  format: Format,
  { scale = 2 }: SaveFigureOptions,
): Promise<string | Uint8Array> {
  if (format === "json") return `${JSON.stringify(figure)}\n`;
  if (format === "html") return figurePage(figure);
  const [drawn = { error: "the browser returned no image" }] = await stoppable((signal) =>
    drawImages([figure], { format, scale: format === "png" ? scale : 1, signal }),
  );
  if ("error" in drawn) throw new UserError(`The figure could not be drawn: ${drawn.error}`, 1);
  return format === "svg" ? drawn.content : Buffer.from(drawn.content, "base64");
}

/** Runs work that is aborted when the cell is interrupted. */
async function stoppable<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const timer = setInterval(() => {
    try {
      stopIfInterrupted();
    } catch (interrupt) {
      controller.abort(interrupt);
    }
  }, CHECK_EVERY_MS);
  try {
    return await work(controller.signal);
  } finally {
    clearInterval(timer);
  }
}
