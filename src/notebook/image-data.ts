import { inflateSync } from "node:zlib";

/** Whether two images in base64 are equal: identical bytes, or no colour channel of a pixel differs by more than `tolerance` of its range. */
export function sameImage(type: string, before: string, after: string, tolerance: number): boolean {
  const [was, is] = [before, after].map((text) => Buffer.from(text, "base64"));
  if (was!.equals(is!)) return true;
  if (type !== "image/png") return false;
  const [a, b] = [pixels(was!), pixels(is!)];
  if (!a || !b || a.width !== b.width || a.bytes.length !== b.bytes.length) return false;
  return a.bytes.every((value, at) => Math.abs(value - b.bytes[at]!) <= tolerance * 255);
}

const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** The bytes of a PNG's pixels (PNG specification, 3rd edition); undefined for palettes, 16 bits per channel and interlaced images. */
export function pixels(png: Buffer): { width: number; bytes: Uint8Array } | undefined {
  if (png.length < 33 || png.toString("latin1", 1, 4) !== "PNG") return undefined;
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = CHANNELS[png[25]!];
  if (png[24] !== 8 || png[28] !== 0 || !channels) return undefined;
  const parts: Buffer[] = [];
  for (let at = 8; at + 8 <= png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const filtered = inflateSync(Buffer.concat(parts));
  const row = width * channels;
  const bytes = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const filter = filtered[y * (row + 1)]!;
    for (let x = 0; x < row; x++) {
      const left = x < channels ? 0 : bytes[y * row + x - channels]!;
      const up = y === 0 ? 0 : bytes[(y - 1) * row + x]!;
      const corner = x < channels || y === 0 ? 0 : bytes[(y - 1) * row + x - channels]!;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      bytes[y * row + x] = filtered[y * (row + 1) + 1 + x]! + guess;
    }
  }
  return { width, bytes };
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(left + up - corner - value)) as [number, number, number];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
