const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes for a reader: three figures and a binary unit, for instance `1.50 MiB`. */
export function formatBytes(bytes: number): string {
  const step = bytes === 0 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.abs(bytes)) / 10));
  const value = bytes / 1024 ** step;
  const digits = step === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[step]}`;
}
