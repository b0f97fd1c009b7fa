import { inspect } from "node:util";
import type { PretrainedOptions } from "./types.ts";

const dtypes: readonly unknown[] = ["float32", "float16", "bfloat16", "float64", "checkpoint"];
const poolings: readonly unknown[] = ["mean", "cls", "last"];

/** Refuses what `pretrained` is given before anything is read or downloaded. */
export function checkOptions(source: string, options: PretrainedOptions): void {
  if (typeof source !== "string" || source.trim() === "")
    throw new TypeError(
      `pretrained: source must be a folder, npm:NAME, pip:NAME or a name on the hub, got ${inspect(source)}`,
    );
  const { head = "hiddenStates", classes, newHead, dtype, pooling, normalize } = options;
  if (dtype !== undefined && !dtypes.includes(dtype))
    throw new TypeError(`pretrained: dtype must be one of ${dtypes.join(", ")}, got ${inspect(dtype)}`);
  if (pooling !== undefined && !poolings.includes(pooling))
    throw new TypeError(`pretrained: pooling must be one of ${poolings.join(", ")}, got ${inspect(pooling)}`);
  const classification = ["sequenceClassification", "tokenClassification"];
  const unused = [
    classes !== undefined && !classification.includes(head) && { name: "classes", heads: classification },
    newHead && ["hiddenStates", "sentenceEmbedding"].includes(head) && { name: "newHead", heads: classification },
    (pooling ?? normalize) !== undefined &&
      head !== "sentenceEmbedding" && { name: pooling ? "pooling" : "normalize", heads: ["sentenceEmbedding"] },
  ].find((each) => each !== false && each !== undefined);
  if (unused)
    throw new TypeError(
      `pretrained: the head "${head}" has no use for ${unused.name}: add head: "${unused.heads.join('" or "')}", or leave ${unused.name} out`,
    );
  if (classes !== undefined) checkClasses(classes);
}

function checkClasses(classes: number | readonly string[]): void {
  const isCount = Number.isInteger(classes) && (classes as number) > 0;
  const isNames = Array.isArray(classes) && classes.length > 0 && classes.every((name) => typeof name === "string");
  if (!isCount && !isNames)
    throw new RangeError(`pretrained: classes must be a positive integer or a list of names, got ${inspect(classes)}`);
  const twice = isNames && classes.find((name, i) => classes.indexOf(name) !== i);
  if (typeof twice === "string") throw new RangeError(`pretrained: classes names ${inspect(twice)} twice`);
}
