const status = /^Invalid TF_Status: (\d+)\s+Message: /;
const RESOURCE_EXHAUSTED = "8";
/** Details of TensorFlow's graph in its messages, which users do not need. */
const details = /\s*(?:; NodeDef: [\s\S]*|\[Op:\w+\][\s\S]*|\{\{(?:function_)?node [^}]*\}\}\s*)/g;
const types = /Value for attr '\w+' of (\w+) is not in the list of allowed values: (.*)/;
const float = ["half", "bfloat16", "float", "double"];

/**
 * Turns an error of TensorFlow into one that names the op, its inputs, the cause and what to do. `op` is the function that was
 * called, if it is known; `kernel` is TensorFlow's name of the op that failed. Any other error is returned unchanged.
 */
export function readableError(
  error: unknown,
  op: string | undefined,
  kernel: string,
  inputs: readonly { shape: readonly number[]; dtype: string }[],
): unknown {
  const text = error instanceof Error ? error.message : "";
  const found = status.exec(text);
  if (!found) return error;
  const why = text.slice(found[0].length).replace(details, " ").trim();
  const given = inputs.map(({ shape, dtype }) => `[${shape.join(", ")}] ${dtype}`).join(" and ") || "no inputs";
  const who = op && op !== kernel ? `${op}: TensorFlow's ${kernel}` : kernel;
  const message =
    found[1] === RESOURCE_EXHAUSTED
      ? `${who} of ${given} ran out of memory: ${why}. Dispose tensors that are no longer used, or use smaller ones.`
      : `${who} of ${given} failed: ${reason(why)}`;
  return new Error(message, { cause: error });
}

function reason(why: string): string {
  const [, found, allowed = ""] = types.exec(why) ?? [];
  if (found) {
    const taken = allowed.split(/,\s*/);
    const better = taken.some((type) => float.includes(type)) ? "float32" : "int32";
    return `${found} tensors are not supported. Convert the input first, for instance with asType(x, "${better}").`;
  }
  return `${why.replace(/\.$/, "")}. Check the shapes, dtypes and values of the inputs.`;
}
