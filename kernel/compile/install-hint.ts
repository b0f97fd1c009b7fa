/** What to do about a module that was not found. It also runs in the host, so it uses no imports and no prototype methods. */

type Exec = (pattern: RegExp, text: string) => RegExpExecArray | null;

/** What to do about a package that was not found, as a clause. `name` may have a version, which only `npm:` takes in an import. */
export function installHint(name: string, exec: Exec): string {
  if (name === "danfojs" || name === "danfojs-node") return danfojs;
  return exec(/.@/, name) === null
    ? `install it in a cell: %install ${name}`
    : `a version belongs to npm's scheme, whose import installs it: "npm:${name}"`;
}

/** danfojs-node needs a file outside the registry and a second TensorFlow. Halftone's package.json has the same overrides. */
const danfojs = `to install it, put this into the package.json there
  "overrides": { "xlsx": "0.18.5", "@tensorflow/tfjs-node": "npm:@tensorflow/tfjs-node-gpu@4.22.0" }
  and then: npm install danfojs-node@1.2.0 --ignore-scripts`;

/** Deno's standard library, and the servers that offer npm's packages as `https://HOST/lodash@4.17.21/fp`. */
const standardLibrary = /^https?:\/\/[^/]+\/std(?:@[^/]+)?\/([\w-]+)/;
const ofNpm = /^https?:\/\/[^/]+\/(?:npm\/|v\d+\/)?((?:@[\w-]+\/)?[\w-]+(?:@[\w.^~-]+)?)(?:[/?]|$)/;

/** Why a module of the network cannot be imported, and what can. */
export function networkSentence(url: string, exec: Exec): string {
  const standard = exec(standardLibrary, url)?.[1];
  const name = exec(ofNpm, url)?.[1];
  const guess = standard ? `"jsr:@std/${standard}"` : name ? `"npm:${name}"` : undefined;
  const instead = guess === undefined ? "Many are on npm or JSR too" : `It may be on npm or JSR too, as ${guess}`;
  return `'${url}' cannot be imported, because this kernel runs on Node, which loads no modules from the network. ${instead}; or save its file beside the notebook`;
}
