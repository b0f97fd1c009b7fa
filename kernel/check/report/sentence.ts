// A type error of the tensor library in one sentence that says what to do.

/** The sentence for the compiler's message and the reasons under it; `undefined` where the message itself is shown. */
export function sentenceOf(message: string, reasons: readonly string[]): string | undefined {
  return (
    ofArgument(message) ??
    iterationSentence(message) ??
    overloadSentence(message, reasons) ??
    lossSentence(message) ??
    observeSentence(message) ??
    trainingSentence(message, reasons)
  );
}

const ofArgument = (message: string): string | undefined =>
  shapeSentence(message) ?? listSentence(message) ?? tensorSentence(message) ?? operandSentence(message);

/**
 * Returns the text of a literal type that is itself a message. The tensor library reports a wrong shape by such a type, to
 * which nothing is assignable.
 */
function shapeSentence(message: string): string | undefined {
  const target = /(?:parameter of type|to type) '(.*)/.exec(message)?.[1] ?? "";
  // Before it may stand the type that was given, whose own literals are names.
  const quoted = [...target.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((found) => found[1]!);
  const sentence = quoted.find((each) => /^[\w.]+(?: `[^`]*`)?: \S+ \S+/.test(each));
  return sentence?.replace(/\\(["\\])/g, "$1");
}

/** What the last overload says of a shape, a list or an option; the others take other kinds of arguments. */
function overloadSentence(message: string, reasons: readonly string[]): string | undefined {
  if (!message.startsWith("No overload matches this call.")) return undefined;
  for (const reason of reasons) {
    const sentence = ofArgument(reason.trim()) ?? optionSentence(reason.trim());
    if (sentence !== undefined) return sentence;
  }
  return undefined;
}

/** Options of a layer whose name is an operation's too: the last overload is the operation's, which takes a tensor. */
function optionSentence(message: string): string | undefined {
  const name =
    /^Object literal may only specify known properties, and '(\w+)' does not exist in type 'TensorOperand'/.exec(
      message,
    )?.[1];
  return name && `'${name}' is not an option here, or a required option is missing.`;
}

/** NumPy accepts a list in place of an array; this library does not. */
function listSentence(message: string): string | undefined {
  const isList = /^(?:Argument of t|T)ype '(?:number|boolean)(?:\[\])+' is (?:not assignable|missing)/.test(message);
  if (!isList || !/'(?:TensorOperand|NumberOrTensor|Operand|Tensor<[^']*>)'/.test(message)) return undefined;
  return "Expected a tensor, got an array. Wrap it: `tensor([...])`.";
}

/** A tensor in place of a list of numbers. */
function tensorSentence(message: string): string | undefined {
  const target =
    /^(?:Argument of t|T)ype 'Tensor(?:<[^']*>)?' is not assignable to (?:parameter of )?type '([^']*)'/.exec(
      message,
    )?.[1];
  if (target === undefined || /Tensor|Operand/.test(target)) return undefined;
  const isList = /(?:number|boolean|unknown)(?:\[\])+|ArrayLike</.test(target);
  return isList ? "Expected an array, got a tensor. Its numbers are `toArray(x)`." : undefined;
}

/** A string, a boolean or nothing in place of a tensor. */
function operandSentence(message: string): string | undefined {
  const [, given, target] =
    /^Argument of type '("[^"']*"|string|boolean|true|false|undefined|null)' is not assignable to parameter of type '(TensorOperand|NumberOrTensor)'/.exec(
      message,
    ) ?? [];
  if (given === undefined) return undefined;
  return `Expected a tensor${target === "NumberOrTensor" ? " or a number" : ""}, got ${given}.`;
}

/** A loss function of `train` whose result is no scalar. */
function lossSentence(message: string): string | undefined {
  const given =
    /^Type '\(.*\) => (.*)' is not assignable to type '[^=]*\bLossFunction</.exec(message)?.[1] ??
    /^Type '(.*)' is not assignable to type 'LossResult \| Tensor<\[\], "float32">'/.exec(message)?.[1];
  if (given === undefined) return undefined;
  const shape = /^Tensor<(.*?)(?:, "\w+")?>$/.exec(given)?.[1];
  const advice = shape ? `got ${shape}: take its \`mean\`` : `got ${given}`;
  return `The loss function must return a scalar tensor, or { loss, metrics, weight }, ${advice}.`;
}

/** `observe(listener, "value")` of a widget, in the order of Python's. */
function observeSentence(message: string): string | undefined {
  const isListenerFirst =
    /^Argument of type '\(.*\) => .*' is not assignable to parameter of type '(?:"_domClasses"|"layout") \| /.test(
      message,
    );
  return isListenerFirst
    ? 'The name of the attribute comes first, then the function: `observe("value", listener)`.'
    : undefined;
}

/** A model and batches that do not fit, or batches without the labels that the default loss needs. */
function trainingSentence(message: string, reasons: readonly string[]): string | undefined {
  const steps = reasons.map((reason) => reason.trim());
  if (/^Property 'loss' is missing in type .* required in type 'LossForBatchesWithoutLabels'/.test(steps[0] ?? ""))
    return "The batches have no `labels`, with which the default loss compares the outputs: give `loss`, a name or a function.";
  if (!/^(?:Argument of t|T)ype '.*' is not assignable to (?:parameter of )?type 'TrainedModel</.test(message))
    return undefined;
  const at = steps.findIndex((step) => /^Types of parameters '\w+' and 'batch' are incompatible/.test(step));
  const [difference = "", property = "", sizes = ""] = at < 0 ? [] : steps.slice(at + 1);
  const missing =
    /^Property '(\w+)' is missing in type/.exec(difference) ??
    / is missing the following properties from type '[^']*': (.*?)\.?$/.exec(difference);
  const given =
    /^(?:Property '\w+' is missing in type|Type) '(.*?)' (?:but required|is missing)/.exec(difference)?.[1] ?? "";
  if (missing && /from type 'Tensor|in type '.*' but required in type 'Tensor/.test(difference))
    return "The model takes a tensor, but the batches are objects: say what it reads of one, `modelOf(layer, (batch) => batch.x)`.";
  if (missing && /\bids\b/.test(missing[1]!) && /\btokens: /.test(given))
    return "These are examples, not batches: make batches of them, `dynamicLengthBatches(examples, { batchSize: 32 })`.";
  if (missing) return `The model takes batches with ${missing[1]}, which these batches do not have.`;
  const name = /^Types of property '(\w+)' are incompatible/.exec(property)?.[1];
  const [, own, taken] = /^Type '(.*)' is not assignable to type '(.*)'\.$/.exec(sizes) ?? [];
  return name && taken && `The model takes batches whose ${name} is ${taken}, but that of these batches is ${own}.`;
}

/** Returns what to use instead of iterating a tensor: the type that its iterator expects is the message. */
function iterationSentence(message: string): string | undefined {
  return /^Cannot iterate value because the 'next' method of its iterator expects type '"(a tensor [^"]*)"'/.exec(
    message,
  )?.[1];
}
