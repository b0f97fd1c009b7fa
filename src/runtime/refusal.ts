import type { TensorInfo } from "@tensorflow/tfjs-node-gpu";

const status = /^Invalid TF_Status: (\d+)\s+Message: /;
const RESOURCE_EXHAUSTED = "8";
/** What TensorFlow adds for those who know its graph. */
const details = /\s*(?:; NodeDef: [\s\S]*|\[Op:\w+\][\s\S]*|\{\{(?:function_)?node [^}]*\}\}\s*)/g;
const types = /Value for attr '\w+' of (\w+) is not in the list of allowed values: (.*)/;
const float = ["half", "bfloat16", "float", "double"];

/**
 * An error of TensorFlow in words that say which op refused what and what to do. `op` is the function that was called, as
 * far as it is known, `kernel` TensorFlow's name of what it ran; any other error is handed back as it is.
 */
export function readableError(
  error: unknown,
  op: string | undefined,
  kernel: string,
  inputs: readonly TensorInfo[],
): unknown {
  const text = error instanceof Error ? error.message : "";
  const found = status.exec(text);
  if (!found) return error;
  const why = text.slice(found[0].length).replace(details, " ").trim();
  const given = inputs.map(({ shape, dtype }) => `[${shape.join(", ")}] ${dtype}`).join(" and ") || "no tensor";
  const who = op && op !== kernel ? `${op}: TensorFlow's ${kernel}` : kernel;
  const message =
    found[1] === RESOURCE_EXHAUSTED
      ? `${who} of ${given} found too little memory: ${why}. Dispose of tensors, or compute with smaller ones.`
      : `${who} of ${given} was refused: ${reason(why)}`;
  return new Error(message, { cause: error });
}

function reason(why: string): string {
  const [, found, allowed = ""] = types.exec(why) ?? [];
  if (found) {
    const taken = allowed.split(/,\s*/);
    const better = taken.some((type) => float.includes(type)) ? "float32" : "int32";
    return `it takes no ${found} tensor. Convert it first, for instance with asType(x, "${better}").`;
  }
  return `${why.replace(/\.$/, "")}. Check the shapes, dtypes and values that it was given.`;
}
