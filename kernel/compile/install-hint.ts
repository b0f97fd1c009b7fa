/** How to install a package that was not found. It also runs in the host, so it uses no imports and no prototype methods. */
export function installHint(name: string): string {
  return name === "danfojs" || name === "danfojs-node" ? danfojs : `npm install ${name}`;
}

/** danfojs-node needs a file outside the registry and a second TensorFlow. Halftone's package.json has the same overrides. */
const danfojs = `put this into the package.json there
  "overrides": { "xlsx": "0.18.5", "@tensorflow/tfjs-node": "npm:@tensorflow/tfjs-node-gpu@4.22.0" }
  and then: npm install danfojs-node@1.2.0 --ignore-scripts`;
