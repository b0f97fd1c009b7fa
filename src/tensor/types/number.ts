// Whole-number arithmetic on literal types, on the decimal text, least digit first. Tail recursive: a few steps a digit.
import type { Dim } from "./shape.ts";

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";

/** Plus[a][b] and Times[a][b] are two digits: what is carried and what stays. */
interface Tables {
  plus: readonly [
    readonly ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09"],
    readonly ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"],
    readonly ["02", "03", "04", "05", "06", "07", "08", "09", "10", "11"],
    readonly ["03", "04", "05", "06", "07", "08", "09", "10", "11", "12"],
    readonly ["04", "05", "06", "07", "08", "09", "10", "11", "12", "13"],
    readonly ["05", "06", "07", "08", "09", "10", "11", "12", "13", "14"],
    readonly ["06", "07", "08", "09", "10", "11", "12", "13", "14", "15"],
    readonly ["07", "08", "09", "10", "11", "12", "13", "14", "15", "16"],
    readonly ["08", "09", "10", "11", "12", "13", "14", "15", "16", "17"],
    readonly ["09", "10", "11", "12", "13", "14", "15", "16", "17", "18"],
  ];
  times: readonly [
    readonly ["00", "00", "00", "00", "00", "00", "00", "00", "00", "00"],
    readonly ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09"],
    readonly ["00", "02", "04", "06", "08", "10", "12", "14", "16", "18"],
    readonly ["00", "03", "06", "09", "12", "15", "18", "21", "24", "27"],
    readonly ["00", "04", "08", "12", "16", "20", "24", "28", "32", "36"],
    readonly ["00", "05", "10", "15", "20", "25", "30", "35", "40", "45"],
    readonly ["00", "06", "12", "18", "24", "30", "36", "42", "48", "54"],
    readonly ["00", "07", "14", "21", "28", "35", "42", "49", "56", "63"],
    readonly ["00", "08", "16", "24", "32", "40", "48", "56", "64", "72"],
    readonly ["00", "09", "18", "27", "36", "45", "54", "63", "72", "81"],
  ];
  /** minus[a][b] is "1" and the rest where ten was borrowed. */
  minus: readonly [
    readonly ["00", "19", "18", "17", "16", "15", "14", "13", "12", "11"],
    readonly ["01", "00", "19", "18", "17", "16", "15", "14", "13", "12"],
    readonly ["02", "01", "00", "19", "18", "17", "16", "15", "14", "13"],
    readonly ["03", "02", "01", "00", "19", "18", "17", "16", "15", "14"],
    readonly ["04", "03", "02", "01", "00", "19", "18", "17", "16", "15"],
    readonly ["05", "04", "03", "02", "01", "00", "19", "18", "17", "16"],
    readonly ["06", "05", "04", "03", "02", "01", "00", "19", "18", "17"],
    readonly ["07", "06", "05", "04", "03", "02", "01", "00", "19", "18"],
    readonly ["08", "07", "06", "05", "04", "03", "02", "01", "00", "19"],
    readonly ["09", "08", "07", "06", "05", "04", "03", "02", "01", "00"],
  ];
}

type Look<Table extends keyof Tables, A extends Digit, B extends Digit> = Tables[Table][A][B];

type Reverse<S extends string, Out extends string = ""> = S extends `${infer C}${infer R}`
  ? Reverse<R, `${C}${Out}`>
  : Out;
/** Without the zeros that lead the number (they come last here). */
type Trim<S extends string> = S extends `${infer R}0` ? Trim<R> : S;
type ToNumber<S extends string> = Reverse<Trim<S>> extends `${infer N extends number}` ? N : 0;

type PlusCarry<A extends Digit, B extends Digit, Carry extends Digit> =
  Look<"plus", A, B> extends `${infer K1 extends Digit}${infer D1 extends Digit}`
    ? Look<"plus", D1, Carry> extends `${infer K2}${infer D2}`
      ? `${K1 extends "1" ? "1" : K2}${D2}`
      : never
    : never;

type Plus<
  A extends string,
  B extends string,
  Carry extends Digit = "0",
  Out extends string = "",
> = A extends `${infer X extends Digit}${infer AR}`
  ? B extends `${infer Y extends Digit}${infer BR}`
    ? PlusCarry<X, Y, Carry> extends `${infer K extends Digit}${infer D}`
      ? Plus<AR, BR, K, `${Out}${D}`>
      : never
    : Carry extends "0"
      ? `${Out}${A}`
      : Plus<A, Carry, "0", Out>
  : Carry extends "0"
    ? `${Out}${B}`
    : B extends ""
      ? `${Out}${Carry}`
      : Plus<B, Carry, "0", Out>;

type TimesDigit<
  A extends string,
  D extends Digit,
  Carry extends Digit = "0",
  Out extends string = "",
> = A extends `${infer X extends Digit}${infer AR}`
  ? Look<"times", X, D> extends `${infer K1 extends Digit}${infer D1 extends Digit}`
    ? Look<"plus", D1, Carry> extends `${infer K2 extends Digit}${infer D2}`
      ? Look<"plus", K1, K2> extends `0${infer K extends Digit}`
        ? TimesDigit<AR, D, K, `${Out}${D2}`>
        : never
      : never
    : never
  : Carry extends "0"
    ? Out
    : `${Out}${Carry}`;

type Times<
  A extends string,
  B extends string,
  Shift extends string = "",
  Sum extends string = "",
> = B extends `${infer D extends Digit}${infer BR}`
  ? Times<A, BR, `${Shift}0`, D extends "0" ? Sum : Plus<Sum, `${Shift}${TimesDigit<A, D>}`>>
  : Sum;

type Minus<
  A extends string,
  B extends string,
  Borrow extends Digit = "0",
  Out extends string = "",
> = A extends `${infer X extends Digit}${infer AR}`
  ? (B extends `${infer Y extends Digit}${infer BR}` ? [Y, BR] : ["0", ""]) extends [
      infer Y extends Digit,
      infer BR extends string,
    ]
    ? Look<"minus", X, Y> extends `${infer K1}${infer D1 extends Digit}`
      ? Look<"minus", D1, Borrow> extends `${infer K2 extends Digit}${infer D2}`
        ? Minus<AR, BR, K1 extends "1" ? "1" : K2, `${Out}${D2}`>
        : never
      : never
    : never
  : B extends ""
    ? Borrow extends "0"
      ? Trim<Out>
      : "negative"
    : "negative";

type HowOften<R extends string, B extends string, Count extends Digit = "0"> =
  Minus<R, B> extends infer Left extends string
    ? Left extends "negative"
      ? [Count, R]
      : Look<"plus", Count, "1"> extends `0${infer Next extends Digit}`
        ? HowOften<Left, B, Next>
        : never
    : never;

/** Long division: A is read from its first digit; R and B are least digit first. */
type Divided<
  A extends string,
  B extends string,
  R extends string = "",
  Q extends string = "",
> = A extends `${infer D}${infer AR}`
  ? HowOften<Trim<`${D}${R}`>, B> extends [infer C extends string, infer Left extends string]
    ? Divided<AR, B, Left, `${C}${Q}`>
    : never
  : [Q, R];

/** Are both literal whole numbers? */
type Whole<A extends Dim, B extends Dim> = `${A} ${B}` extends `${bigint} ${bigint}`
  ? A extends number
    ? B extends number
      ? number extends A | B
        ? false
        : `${A} ${B}` extends `${string}-${string}`
          ? false
          : true
      : false
    : false
  : false;

/** The product of two dimensions, `number` when it is not known. */
export type Multiply<A extends Dim, B extends Dim> = A extends 1
  ? B
  : B extends 1
    ? A
    : Whole<A, B> extends true
      ? 0 extends A | B
        ? 0
        : ToNumber<Times<Reverse<`${A}`>, Reverse<`${B}`>>>
      : number;

/** The sum of two dimensions, `number` when it is not known. */
export type Sum<A extends Dim, B extends Dim> = A extends 0
  ? B
  : B extends 0
    ? A
    : Whole<A, B> extends true
      ? ToNumber<Plus<Reverse<`${A}`>, Reverse<`${B}`>>>
      : number;

/** A - B, `number` when it is not known or would be negative. */
export type Difference<A extends Dim, B extends Dim> = B extends 0
  ? A
  : Whole<A, B> extends true
    ? Minus<Reverse<`${A}`>, Reverse<`${B}`>> extends infer D extends string
      ? D extends "negative"
        ? number
        : ToNumber<D>
      : number
    : number;

/** A / B, `false` when B does not divide A, `number` when it is not known. */
export type Quotient<A extends Dim, B extends Dim> = B extends 1
  ? A
  : Whole<A, B> extends true
    ? B extends 0
      ? number
      : Divided<`${A}`, Reverse<`${B}`>> extends [infer Q extends string, infer R]
        ? R extends ""
          ? ToNumber<Q>
          : false
        : number
    : number;

/** The product of the dimensions of a shape. */
export type Product<S extends readonly Dim[], Out extends Dim = 1> = S extends readonly [
  infer D extends Dim,
  ...infer R extends readonly Dim[],
]
  ? Product<R, Multiply<Out, D>>
  : S extends readonly []
    ? Out
    : number;
