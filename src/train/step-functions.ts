import { StepCapture } from "../runtime/native/capture/step-capture.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * The captured parts of a training step. They are two, because between them a scaler decides whether there is an update, and
 * accumulation adds gradients.
 */
export interface StepFunctions {
  gradients: StepCapture;
  update: StepCapture;
}

const known = new WeakMap<object, WeakMap<Optimizer, StepFunctions>>();

/** The captured parts of a model's steps with an optimizer; they last from one training to the next. */
export function stepFunctions(model: object, optimizer: Optimizer): StepFunctions {
  let ofModel = known.get(model);
  if (!ofModel) {
    ofModel = new WeakMap();
    known.set(model, ofModel);
  }
  let functions = ofModel.get(optimizer);
  if (!functions) {
    functions = { gradients: new StepCapture("Gradients"), update: new StepCapture("Update") };
    ofModel.set(optimizer, functions);
  }
  return functions;
}
