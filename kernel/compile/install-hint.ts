/** How to install a package that was not found. Also runs in the host, so it uses no import and no prototype's method. */
export function installHint(name: string): string {
  return name === "danfojs" || name === "danfojs-node" ? danfojs : `npm install ${name}`;
}

/** danfojs-node asks for a file outside the registry, and for a second TensorFlow; Halftone's own package.json has the same lines. */
const danfojs = `put this into the package.json there
  "overrides": { "xlsx": "0.18.5", "@tensorflow/tfjs-node": "npm:@tensorflow/tfjs-node-gpu@4.22.0" }
  and then: npm install danfojs-node@1.2.0 --ignore-scripts`;
