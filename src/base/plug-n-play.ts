import { createRequire } from "node:module";
import { UserError } from "./user-error.ts";

/** Throws `UserError` where Yarn's Plug'n'Play has installed this package: it does not look into `dist/node_modules`, where its copy of tfjs is. */
export function refusePlugNPlay(): void {
  if (!process.versions.pnp) return;
  try {
    createRequire(import.meta.url).resolve("@tensorflow/tfjs-node-gpu");
  } catch {
    throw new UserError(
      "Halftone does not work with Yarn's Plug'n'Play. Run `yarn config set nodeLinker node-modules` in your project, then `yarn install`.",
    );
  }
}
