// Heat maps and histograms, small enough for a notebook.
import { crc32, deflateSync } from "node:zlib";
import type { AnyTensor } from "../types/tensor.ts";
import { histogram, part, type Summary } from "./summary.ts";
import { numberText } from "./text.ts";

/** Pixels of a heat map at most, each way; larger matrices are averaged in blocks. */
const side = 96;

export interface HeatMap {
  /** A PNG as base64. */
  png: string;
  width: number;
  height: number;
  /** Elements that one pixel is the mean of, down and across. */
  block: [number, number];
}

/** The matrix of the last two axes, at the first place of the others. */
export function heatMap(x: AnyTensor, { low, high }: Summary): HeatMap {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const [down, across] = [Math.ceil(rows / side), Math.ceil(columns / side)];
  const [height, width] = [Math.ceil(rows / down), Math.ceil(columns / across)];
  const pixels = new Uint8Array(height * (1 + 3 * width));
  for (let r = 0; r < height; r++) {
    const tall = Math.min(down, rows - r * down);
    const values = part(x, r * down * columns, tall * columns);
    for (let c = 0; c < width; c++) {
      let [sum, count] = [0, 0];
      for (let i = 0; i < tall; i++)
        for (let j = c * across; j < Math.min(columns, (c + 1) * across); j++, count++) sum += values[i * columns + j]!;
      pixels.set(color(sum / count, low, high), r * (1 + 3 * width) + 1 + 3 * c);
    }
  }
  return { png: png(pixels, width, height), width, height, block: [down, across] };
}

const blue = [33, 102, 172] as const;
const paper = [247, 247, 247] as const;
const red = [178, 24, 43] as const;
const notNumber = [255, 0, 255] as const;

/** Blue below zero, red above, by magnitude (ColorBrewer's RdBu); magenta for NaN and infinity. */
function color(value: number, low: number, high: number): readonly number[] {
  if (!Number.isFinite(value)) return notNumber;
  const extent = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const share = Math.min(1, Math.abs(value) / extent);
  const end = value < 0 ? blue : red;
  return paper.map((from, i) => Math.round(from + (end[i]! - from) * share));
}

/** The PNG of rows of a filter byte and RGB pixels (w3.org/TR/png). */
function png(rows: Uint8Array, width: number, height: number): string {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const chunks = [chunkOf("IHDR", header), chunkOf("IDAT", deflateSync(rows)), chunkOf("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]).toString("base64");
}

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** How the values are spread, as an SVG that takes the colour of its text. */
export function histogramSvg(x: AnyTensor, summary: Summary): string {
  const bins = 40;
  const counts = histogram(x, summary, bins);
  const top = Math.max(...counts);
  const [width, height] = [320, 80];
  const step = width / bins;
  const bars = counts
    .map((count, i) => {
      const tall = (count / top) * height;
      return `<rect x="${(i * step).toFixed(1)}" y="${(height - tall).toFixed(1)}" width="${(step - 1).toFixed(1)}" height="${tall.toFixed(1)}"/>`;
    })
    .join("");
  const label = (at: number, anchor: string, text: string) =>
    `<text x="${at}" y="${height + 14}" text-anchor="${anchor}" font-size="11">${text}</text>`;
  const title = `Histogram of ${x.size} values from ${numberText(summary.low)} to ${numberText(summary.high)}`;
  return `<svg width="${width}" height="${height + 18}" fill="currentColor" opacity="0.75" role="img" aria-label="${title}">${bars}${label(0, "start", numberText(summary.low))}${label(width, "end", numberText(summary.high))}</svg>`;
}
