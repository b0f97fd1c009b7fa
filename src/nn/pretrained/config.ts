import { existsSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { readJsonFile } from "../../base/json-file.ts";
import { jsonObject } from "../../base/json-schema.ts";

/** A config.json, whose values are read by name and checked. */
export interface Config {
  readonly file: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** A positive integer; the first of several names that is there. */
  integer(names: string | readonly string[], otherwise?: number): number;
  /** An integer of at least 0. */
  whole(name: string, otherwise?: number): number;
  /** The number of layers, at most 10,000: a wrong one must not fill the memory before it is compared with the tensors. */
  layers(names: string | readonly string[], otherwise?: number): number;
  /** A finite number of at least 0. */
  number(name: string, otherwise?: number): number;
  /** A finite number above 0. */
  positive(name: string, otherwise?: number): number;
  boolean(name: string, otherwise: boolean): boolean;
  /** One of some texts, or a refusal that names them. */
  oneOf<T extends string>(name: string, known: readonly T[], otherwise: T): T;
  /** Refuses the config unless a value is absent, null or the only one that is supported. */
  only(name: string, supported: unknown): void;
  /** Throws an error that begins with the file's name. */
  refuse(why: string): never;
}

/** The JSON object of a file, or undefined where there is none. */
export function readJson(file: string): Record<string, unknown> | undefined {
  const content = contentOf(file);
  if (content === undefined || v.is(jsonObject, content)) return content;
  throw new TypeError(`pretrained: ${file} is not a JSON object`);
}

/** The JSON array of a file, or undefined where there is none. */
export function readJsonList(file: string): readonly unknown[] | undefined {
  const content = contentOf(file);
  if (content === undefined || Array.isArray(content)) return content;
  throw new TypeError(`pretrained: ${file} is not a JSON array`);
}

const contentOf = (file: string): unknown => (existsSync(file) ? readJsonFile("pretrained", file) : undefined);

/** Reads the config.json of a folder. */
export function readConfig(folder: string): Config {
  const file = path.join(folder, "config.json");
  const values = readJson(file);
  if (!values)
    throw new Error(`pretrained: ${folder} has no config.json: give a folder that transformers' save_pretrained wrote`);
  return configOf(file, values);
}

export function configOf(file: string, values: Readonly<Record<string, unknown>>): Config {
  const refuse = (why: string): never => {
    throw new TypeError(`pretrained: ${file}: ${why}`);
  };
  const read = <T>(name: string, otherwise: T | undefined, is: (value: unknown) => value is T, what: string): T => {
    const value = values[name] ?? otherwise;
    if (value === undefined) refuse(`${name} is missing, which must be ${what}`);
    return is(value) ? value : refuse(`${name} must be ${what}, got ${JSON.stringify(value)}`);
  };
  const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
  const isWhole = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
  const isAmount = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;
  const isPositive = (value: unknown): value is number => isAmount(value) && value > 0;
  const isLayers = (value: unknown): value is number => isSize(value) && value <= 10_000;
  const named = (names: string | readonly string[]): string => {
    const all = typeof names === "string" ? [names] : names;
    return all.find((each) => values[each] !== undefined && values[each] !== null) ?? all[0]!;
  };
  const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
  return {
    ...{ file, values, refuse },
    integer: (names, otherwise) => read(named(names), otherwise, isSize, "a positive integer"),
    layers: (names, otherwise) => read(named(names), otherwise, isLayers, "a positive integer up to 10000"),
    whole: (name, otherwise) => read(name, otherwise, isWhole, "an integer of at least 0"),
    number: (name, otherwise) => read(name, otherwise, isAmount, "a number of at least 0"),
    positive: (name, otherwise) => read(name, otherwise, isPositive, "a number above 0"),
    boolean: (name, otherwise) => read(name, otherwise, isBoolean, "true or false"),
    oneOf<T extends string>(name: string, known: readonly T[], otherwise: T): T {
      const isKnown = (value: unknown): value is T => known.includes(value as T);
      return read(name, otherwise, isKnown, known.map((each) => `"${each}"`).join(", "));
    },
    only(name, supported) {
      const value = values[name];
      if (value === undefined || value === null || value === supported) return;
      refuse(`${name} is ${JSON.stringify(value)}, which is not supported (only ${JSON.stringify(supported)})`);
    },
  };
}

/** Refuses what no architecture here supports. */
export function checkCommon({ values, refuse }: Config): void {
  const { quantization_config: quantization, pruned_heads: pruned, auto_map: code } = values;
  if (quantization) {
    const method = (quantization as { quant_method?: string }).quant_method ?? "quantized";
    refuse(`its weights are quantized (${method}), which is not supported: save it in float32, float16 or bfloat16`);
  }
  if (pruned && Object.keys(pruned).length > 0) refuse("it has pruned heads, which are not supported");
  if (code) refuse("auto_map asks for code of its own, which is not supported");
}

/** The activations of transformers that feed-forward parts without a gate have here. */
const activations = {
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  gelu_fast: "geluTanh",
  relu: "relu",
} as const;

/** An activation by this library's name. */
export type Activation = (typeof activations)[keyof typeof activations];

/** The activation that a config names. */
export const activationOf = (config: Config, name: string, otherwise: keyof typeof activations): Activation =>
  activations[config.oneOf(name, Object.keys(activations) as (keyof typeof activations)[], otherwise)];
