// Which linear maps of a model an adapter changes.
import { nearestNames } from "../../base/nearest-names.ts";
import { matchesPath, type PathPattern } from "../../tensor/path-pattern.ts";
import { leaves } from "../../tensor/tree.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { columnsOf } from "../checkpoint-layout.ts";
import { foreignLayouts, moduleOf } from "./foreign-names.ts";

/** A linear map: a weight, or the columns of a weight that hold several maps side by side. */
export interface LinearMap {
  /** The path of the weight. */
  path: string;
  /** The name of the map: that of transformers in a pretrained model, else the path without `.weight`. */
  module: string;
  weight: AnyTensor;
  /** Its first column, and their number. */
  start: number;
  out: number;
  /** Whether transformers has it as `[in, out]`. */
  isConv1d: boolean;
}

/** Every matrix called `weight`; whether a linear map reads it is known when the model has run. */
export function linearMaps(parameters: object): LinearMap[] {
  const layouts = foreignLayouts(parameters);
  return leaves(parameters).flatMap(({ path, tensor }) => {
    if (tensor.rank !== 2 || !/(^|\.)weight$/.test(path)) return [];
    const known = layouts.get(path);
    const whole = { path, weight: tensor, isConv1d: known ? !known.isTransposed : false };
    if (!known) return [{ ...whole, module: moduleOf(path), start: 0, out: tensor.shape[1]! }];
    let start = 0;
    return known.tensors.map((each) => {
      const out = columnsOf(each, known);
      const map = { ...whole, module: moduleOf(each.name), start, out };
      start += out;
      return map;
    });
  });
}

/** The projections of attention that PEFT changes by default: queries and values, or what holds them. */
const defaults = ["query", "value", "q_lin", "v_lin", "q_proj", "v_proj", "c_attn", "Wqkv", "projection", "keyValue"];

/**
 * The maps that at least one pattern matches: by the path of the weight, by the name of the map, or, as in PEFT, by the end of it.
 *
 * @throws RangeError for a pattern that matches none, with the nearest names, and for no pattern
 */
export function targetsOf(
  maps: readonly LinearMap[],
  targets: PathPattern | readonly PathPattern[] | undefined,
): LinearMap[] {
  if (targets === undefined) return defaultTargets(maps);
  const patterns = (Array.isArray(targets) ? targets : [targets]) as PathPattern[];
  if (patterns.length === 0) throw new RangeError("lora: targets is empty: name a linear map, or leave the option out");
  const chosen = new Set<LinearMap>();
  for (const pattern of patterns) {
    const matches = matchesPath("lora: targets", pattern);
    const isEnd = (name: string) => typeof pattern === "string" && name.endsWith(`.${pattern}`);
    const found = maps.filter(
      ({ path, module }) => matches(path) || matches(module) || isEnd(module) || isEnd(moduleOf(path)),
    );
    if (found.length === 0)
      throw new RangeError(
        `lora: ${pattern instanceof RegExp ? pattern : JSON.stringify(pattern)} matches none of the ${maps.length} linear maps; ` +
          `the nearest are ${nearestNames(
            String(pattern),
            maps.map(({ module }) => module),
          ).join(", ")}`,
      );
    for (const each of found) chosen.add(each);
  }
  return maps.filter((map) => chosen.has(map));
}

function defaultTargets(maps: readonly LinearMap[]): LinearMap[] {
  const found = maps.filter(({ module }) => defaults.includes(module.split(".").at(-1)!));
  if (found.length > 0) return found;
  throw new RangeError(
    `lora: none of the ${maps.length} linear maps has the name of a projection of attention (${defaults.join(", ")}): give targets`,
  );
}
