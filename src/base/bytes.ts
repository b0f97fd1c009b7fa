const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Formats a number of bytes with three digits and a binary unit, for instance `1.50 MiB`. */
export function formatBytes(bytes: number): string {
  const step = bytes === 0 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.abs(bytes)) / 10));
  const value = bytes / 1024 ** step;
  const digits = step === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[step]}`;
}

const FACTORS: Record<string, number> = { B: 1 };
for (const [power, letter] of ["k", "M", "G", "T"].entries()) {
  FACTORS[`${letter}B`] = 1000 ** (power + 1);
  FACTORS[`${letter.toUpperCase()}iB`] = 1024 ** (power + 1);
}

/**
 * Parses a size in bytes, given as a number or as text: `512 MB` has decimal units (10^6), `1.5 GiB` binary ones (2^30).
 *
 * @throws RangeError if `size` is not a positive number or has an unknown unit
 */
export function parseBytes(size: number | string, what = "a size"): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(String(size)) ?? [];
  const factor = typeof size === "number" ? 1 : FACTORS[unit ?? ""];
  const bytes = (typeof size === "number" ? size : Number(digits)) * (factor ?? Number.NaN);
  if (bytes > 0) return Math.round(bytes);
  throw new RangeError(
    `${what} must be a positive number of bytes or a text such as "512 MB" or "1.5 GiB", got ${JSON.stringify(size)} (units: ${Object.keys(FACTORS).join(", ")})`,
  );
}
