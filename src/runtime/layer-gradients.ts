import { currentProfileScope, observeProfileScopes, withinProfileScope } from "./profile-scope.ts";
import * as hooks from "./tfjs/hooks.ts";

/** Starts recording layers, with the backward pass of an op in the layer in which the op ran. Returns a function that stops it. */
export function observeLayers(): () => void {
  const stops = [
    observeProfileScopes(),
    hooks.tape.subscribe("profile", (node) => {
      const path = currentProfileScope();
      const { gradient } = node;
      if (!path || !gradient) return;
      node.gradient = (dys) =>
        Object.fromEntries(
          Object.entries(withinProfileScope(path, () => gradient(dys))).map(([name, make]) => [
            name,
            () => withinProfileScope(path, make),
          ]),
        );
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
