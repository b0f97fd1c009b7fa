/** A number with at most so many significant digits, for people to read. */
export const shortNumber = (value: number, digits = 6): string => String(Number(value.toPrecision(digits)));
