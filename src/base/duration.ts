const UNITS: Record<string, number> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** Seconds of a text such as `90`, `90s`, `30min` or `1.5h`; undefined for another text. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit = "s"] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)?\s*$/i.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  return seconds > 0 ? seconds : undefined;
}
