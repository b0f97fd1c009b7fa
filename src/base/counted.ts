/** A number of things, for people to read: `1 point` or `24 points`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
