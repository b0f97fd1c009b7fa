/** `1.5 ms`: three digits and the unit that fits. */
export function duration(milliseconds: number): string {
  const units: [number, string][] = [
    [60_000, "min"],
    [1000, "s"],
    [1, "ms"],
    [1e-3, "µs"],
    [1e-6, "ns"],
  ];
  const [size, name] = units.find(([least]) => milliseconds >= least) ?? [1e-6, "ns"];
  return `${Number((milliseconds / size).toPrecision(3))} ${name}`;
}
