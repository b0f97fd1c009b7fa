export { type AddingExample, type AddingOptions, addingProblem } from "./adding.ts";
export { type Example, majorityShare, type Vocabulary, vocabulary } from "./dataset.ts";
export {
  evaluateListOps,
  type ListOpsExample,
  type ListOpsOptions,
  listOps,
  listOpsVocabulary,
  type Operator,
} from "./listops.ts";
export { type Random, random, randomFrom } from "./random.ts";
export { readSafetensors, type StoredArray, writeSafetensors } from "./safetensors.ts";
export { type Split, split } from "./split.ts";
