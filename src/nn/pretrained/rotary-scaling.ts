// How a config says which rotary positions a model has.
import { rotaryRates } from "../ops/rotary.ts";
import { type Config, configOf } from "./config.ts";

/**
 * The rates of rotary positions for heads of `size` features. transformers 5 writes `rope_parameters`; earlier ones wrote
 * `rope_theta` and `rope_scaling`. The type `"dynamic"` changes nothing up to the longest sequence of the config, which is the
 * longest here.
 */
export function rotaryRatesOf(config: Config, size: number, defaultBase = 10_000): Float32Array {
  const { rope_parameters: own, rope_scaling: scaling, rope_theta, partial_rotary_factor } = config.values;
  for (const [name, value] of Object.entries({ rope_parameters: own, rope_scaling: scaling }))
    if (typeof (value ?? {}) !== "object") config.refuse(`${name} must be an object, got ${JSON.stringify(value)}`);
  const given: Record<string, unknown> = {
    rope_theta,
    partial_rotary_factor,
    ...(scaling as object | null),
    ...(own as object | null),
  };
  const rope = configOf(config.file, { ...given, rope_type: given.rope_type ?? given.type });
  const type = rope.oneOf("rope_type", ["default", "linear", "dynamic", "llama3"], "default");
  rope.only("partial_rotary_factor", 1);
  if (size % 2 !== 0) config.refuse(`rotary positions need an even number of features per head, got ${size}`);
  const rates = rotaryRates(size, rope.positive("rope_theta", defaultBase));
  if (type === "linear") return rates.map((rate) => rate / rope.positive("factor"));
  return type === "llama3" ? llama3Rates(rates, rope, config.integer("max_position_embeddings", 2048)) : rates;
}

/**
 * Llama 3.1's rates: waves longer than the original length are divided by the factor, those much shorter are kept, and those
 * between are interpolated.
 */
function llama3Rates(rates: Float32Array, rope: Config, maxLength: number): Float32Array {
  const [factor, low, high] = ["factor", "low_freq_factor", "high_freq_factor"].map((name) => rope.positive(name));
  const original = rope.integer("original_max_position_embeddings", maxLength);
  return rates.map((rate) => {
    const waves = (original * rate) / (2 * Math.PI);
    if (waves < low!) return rate / factor!;
    if (waves > high!) return rate;
    const kept = (waves - low!) / (high! - low!);
    return ((1 - kept) * rate) / factor! + kept * rate;
  });
}
