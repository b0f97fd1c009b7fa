import assert from "node:assert/strict";
import { test } from "node:test";
import { runtimeInfo } from "../../src/runtime/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ownLibrary, script, start } from "./fixture.ts";

const skip = !ownLibrary() && "this machine has no native TensorFlow";
const train = `
  await ready();
  const weights = tf.variable(tf.tensor2d([[1, 2], [3, 4]]));
  const rows = tf.tensor1d([1, 1], "int32");
  const loss = tf.train.sgd(0.5).minimize(() => tf.matMul(weights, weights).sum().add(tf.gather(weights, rows).sum()), true);
  console.log(JSON.stringify({ backend: tf.getBackend(), loss: loss.arraySync(), weights: weights.arraySync() }));
`;
// W = [[1, 2], [3, 4]]: W W = [[7, 10], [15, 22]] sums to 54, twice the second row to 14. The gradient of the first is
// 1 (row sums)^T + (column sums)^T 1 = [[3 + 4, 7 + 4], [3 + 6, 7 + 6]], of the second [[0, 0], [2, 2]].
const trained = {
  loss: 68,
  weights: [
    [1 - 3.5, 2 - 5.5],
    [3 - 5.5, 4 - 7.5],
  ],
};

for (const backend of ["tensorflow", "wasm"]) {
  test(`${backend}: a training step gives what hand calculation gives, and nothing reaches stderr`, {
    skip: backend === "tensorflow" && skip,
  }, async () => {
    // With this variable TensorFlow says on every CPU what it says by itself on some: "oneDNN custom operations are on".
    const { stdout, stderr, status } = await script(train, { HALFTONE_BACKEND: backend, TF_ENABLE_ONEDNN_OPTS: "1" });
    assert.equal(stderr, "");
    assert.deepEqual(JSON.parse(stdout), { backend, ...trained });
    assert.equal(status, 0);
  });
}

test("a product of float16 numbers by TensorFlow writes nothing to stderr on any CPU", { skip }, async () => {
  const library = new URL("../../src/index.js", import.meta.url);
  const product = `
    const { tensor } = await import("${library}");
    const x = tensor([[1, 2], [3, 4]]).to("float16");
    console.log(...x.matMul(x).to("float32").dataSync());`;
  const env = { HALFTONE_KERNELS: "separate", TF_ENABLE_ONEDNN_OPTS: "1" };
  const { stdout, stderr } = await script(product, env);
  assert.deepEqual([stdout, stderr], ["7 10 15 22\n", ""]);
});

test("TensorFlow's log lines appear when TF_CPP_MIN_LOG_LEVEL asks for them", { skip }, async () => {
  const { stderr } = await script("await ready()", { TF_CPP_MIN_LOG_LEVEL: "0", TF_ENABLE_ONEDNN_OPTS: "1" });
  assert.match(stderr, /oneDNN custom operations are on/);
  assert.match(stderr, /cpu_feature_guard/);
});

/** Runs code in the middle of loading TensorFlow, as its own initializers run. */
const duringLoad = (code: string, after = "({ tf }) => console.log(tf.add(1, 1).dataSync()[0])") => {
  const prelude = `
    const Module = require("node:module"), fs = require("node:fs");
    const load = Module._load;
    Module._load = function (request, ...rest) {
      const loaded = load.call(this, request, ...rest);
      if (request === "@tensorflow/tfjs-node-gpu") { ${code} }
      return loaded;
    };`;
  const url = JSON.stringify(new URL("../../src/runtime/index.js", import.meta.url).href);
  const env = { TF_ENABLE_ONEDNN_OPTS: "1" };
  return start(["-e", `${prelude} import(${url}).then(${after})`], env).ended;
};

test("other code's stderr during TensorFlow's load arrives byte for byte", { skip }, async () => {
  const text = "warning from another library\nI0000 of no log\n\u20ac without an end";
  const { stdout, stderr } = await duringLoad(`fs.writeSync(2, ${JSON.stringify(text)});`);
  assert.equal(stderr, text);
  assert.equal(stdout, "2\n");
});

test("TensorFlow's log lines during its load are shown from the level on that TF_CPP_MIN_LOG_LEVEL has", {
  skip,
}, async () => {
  const line = (severity: string) =>
    `${severity}0000 00:00:1795989246.451402   10238 some_file.cc:1] text of ${severity}\n`;
  const lines = JSON.stringify(["I", "W", "E", "F"].map(line).join(""));
  const notice = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n";
  for (const [level, shown] of [
    ["", "F"],
    ["2", "EF"],
  ] as const) {
    const setLevel = level && `process.env.TF_CPP_MIN_LOG_LEVEL = "${level}";`;
    const { stderr } = await duringLoad(`${setLevel} fs.writeSync(2, ${lines});`);
    assert.equal(stderr.replace(notice, ""), [...shown].map(line).join(""));
  }
});

for (const [way, code] of [
  ["aborts", "process.abort()"],
  ["exits", "process.exit(3)"],
  ["is ended by a fault", "process.kill(process.pid, 'SIGSEGV')"],
] as const) {
  test(`a process that ${way} while TensorFlow is loaded still says why`, { skip }, async () => {
    const { stdout, stderr, status } = await duringLoad(`fs.writeSync(2, "the reason\\n"); ${code};`);
    assert.match(stderr, /the reason\n/);
    assert.equal(stdout, "");
    assert.notEqual(status, 0);
  });
}

for (const [when, property] of [
  ["early", "tensorMap"],
  ["at the end", "isUsingGpuDevice"],
] as const)
  test(`a native library that fails ${when}, after tfjs was changed for it, leaves WebAssembly working`, {
    skip,
  }, async () => {
    const { stdout, stderr } = await duringLoad(
      `Object.defineProperty(loaded.backend(), "${property}", { get() { throw new Error("the test's fault"); } });`,
      `async ({ tf, ready, runtimeInfo }) => { ${train} console.log(runtimeInfo().reason); }`,
    );
    const [result, reason] = stdout.split("\n");
    assert.deepEqual(JSON.parse(result!), { backend: "wasm", ...trained });
    assert.equal(reason, "WebAssembly, because the library could not be loaded: the test's fault");
    assert.equal(stderr, "");
  });

test("runtimeInfo gives the backend and the reason for it", { skip }, () => {
  const info = runtimeInfo();
  assert.equal(info.backend, "tensorflow");
  assert.equal(info.version, "2.21.0");
  assert.match(info.library?.sha256 ?? "", /^[0-9a-f]{64}$/);
  assert.match(info.reason, /^TensorFlow on the [CG]PU, because /);
  assert.ok(info.threads >= 1);
});

test("without the library everything runs on WebAssembly, and the reason says how to get it", async () => {
  const env = { HALFTONE_CACHE: temporaryFolder() };
  const { stdout, stderr } = await script(
    `await ready(); console.log(runtimeInfo().backend, runtimeInfo().reason);`,
    env,
  );
  assert.equal(stderr, "");
  assert.match(stdout, /^wasm WebAssembly, because .*run `halftone setup`/);
});

test("an op before WebAssembly is ready names the promise to await", async () => {
  const { stderr } = await script("tf.add(1, 1)", { HALFTONE_BACKEND: "wasm" });
  assert.match(stderr, /WebAssembly has not started yet: await halftone's ready\(\) before the first op/);
});

test("an unknown or unavailable backend is refused by name", async () => {
  const unknown = await script("", { HALFTONE_BACKEND: "cuda" });
  assert.match(unknown.stderr, /HALFTONE_BACKEND must be "tensorflow" or "wasm", got "cuda"/);
  const missing = await script("", { HALFTONE_BACKEND: "tensorflow", HALFTONE_CACHE: temporaryFolder() });
  assert.match(missing.stderr, /HALFTONE_BACKEND=tensorflow, but the native library .* is not set up/);
});

for (const backend of ["tensorflow", "wasm"]) {
  test(`${backend}: danfojs-node and every name of tfjs share one engine`, {
    skip: backend === "tensorflow" && skip,
  }, async () => {
    const code = `
      await ready();
      const { createRequire } = await import("node:module");
      const require = createRequire(${JSON.stringify(import.meta.url)});
      const { pathToFileURL } = await import("node:url");
      const names = ["@tensorflow/tfjs", "@tensorflow/tfjs-core", "@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"];
      for (const name of names) if (require(name).engine() !== tf.engine()) console.log("another engine:", name);
      const imported = await import("@tensorflow/tfjs-node");
      if (imported.default.engine() !== tf.engine()) console.log("another engine by import");
      const { DataFrame, tensorflow } = require("danfojs-node");
      if (tensorflow.engine() !== tf.engine()) console.log("another engine: danfojs-node");
      const frame = new DataFrame([[1, 2], [3, 4]]);
      console.log(tf.sum(frame.tensor, 0).arraySync().join());`;
    const { stdout, stderr } = await script(code, { HALFTONE_BACKEND: backend });
    assert.equal(stderr, "");
    assert.equal(stdout, "4,6\n");
  });
}

test("WebAssembly saves models to files and loads them, as tfjs-node does", async () => {
  const folder = temporaryFolder();
  const code = `
    await ready();
    const dense = tf.layers.dense({ units: 1, inputShape: [2], kernelInitializer: "ones" });
    await tf.sequential({ layers: [dense] }).save("file://${folder}");
    const loaded = await tf.loadLayersModel("file://${folder}/model.json");
    console.log(loaded.predict(tf.tensor2d([[20, 22]])).dataSync()[0]);`;
  const { stdout, stderr } = await script(code, { HALFTONE_BACKEND: "wasm" });
  assert.equal(stderr, "");
  assert.equal(stdout, "42\n");
});

test("CommonJS can require the library, as the tslab kernel does", async () => {
  const file = new URL("../../src/runtime/index.js", import.meta.url).pathname;
  const code = `const { ready, tf } = require(${JSON.stringify(file)}); ready().then(() => console.log(tf.add(1, 1).dataSync()[0]))`;
  const { stdout } = await start(["--no-warnings", "-e", code]).ended;
  assert.equal(stdout, "2\n");
});
