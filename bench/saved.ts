// Saves every fixture of pretrained models, with its outputs, for transformers to read again:
//
//     node dist/bench/saved.js /tmp/saved && python bench/reference/pretrained_saved.py /tmp/saved
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { fixedPad } from "../src/batching/index.ts";
import { type HiddenStates, type PretrainedHead, pretrained } from "../src/nn/index.ts";

const fixtures = new URL("../../test/nn/pretrained/fixtures/", import.meta.url).pathname;
const target = process.argv[2];
if (target === undefined) throw new Error("usage: node dist/bench/saved.js FOLDER");

/** The head of a class of transformers. */
function headOf(name: string): PretrainedHead {
  if (name.endsWith("ForSequenceClassification")) return "sequenceClassification";
  if (name.endsWith("ForTokenClassification")) return "tokenClassification";
  if (/(MaskedLM|PreTraining)$/.test(name)) return "maskedLanguageModel";
  return /(CausalLM|LMHeadModel)$/.test(name) ? "causalLanguageModel" : "hiddenStates";
}

for (const name of readdirSync(fixtures)) {
  const source = path.join(fixtures, name);
  // The reference of a model that is not in the tree.
  if (!existsSync(path.join(source, "config.json"))) continue;
  const {
    ids,
    mask,
    class: className,
  } = JSON.parse(readFileSync(path.join(source, "reference.json"), "utf8")) as {
    ids: number[][];
    mask: number[][];
    class: string;
  };
  const model = await pretrained(source, { head: headOf(className) });
  const sequences = ids.map((row, i) => row.filter((_, t) => mask[i]![t]));
  const output = model.apply(model.parameters, fixedPad(sequences, { maxLength: ids[0]!.length }));
  const values = "hidden" in output ? (output as HiddenStates).hidden : (output as Tensor);
  const folder = path.join(target, name);
  // Small enough that some models need several files.
  model.save(folder, { maxShardBytes: 40_000 });
  const expected = { ids, mask, shape: values.shape, values: [...values.dataSync()] };
  writeFileSync(path.join(folder, "expected.json"), JSON.stringify(expected));
}
