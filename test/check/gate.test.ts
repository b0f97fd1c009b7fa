import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openNotebook, until } from "../kernel/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { patience } from "./notebook.ts";

const strict = () => openNotebook({ cwd: temporaryFolder(), types: { policy: "error", patience } });
const shown = (ran: { outputs: { type: string }[] }) =>
  ran.outputs.flatMap((output) => {
    const { type, data } = output as { type: string; data?: Record<string, string> };
    return type === "display" ? [data?.["text/plain"] ?? ""] : [];
  });

/** Makes a process hang: it stands still until it is killed. */
async function stop(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await until(() => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8")), "the process stands still");
}

test("a cell with a type error does not run, and shows the line, the squiggle and the message", async () => {
  const { run } = strict();
  const { outcome, error, stdout, stderr } = await run("console.log('side effect')\nconst count: number = 'text';");
  assert.equal(outcome.status, "error");
  assert.equal(stdout + stderr, "");
  assert.equal(error?.ename, "TypeScriptError");
  assert.equal(error?.evalue, "Type 'string' is not assignable to type 'number'. (cell [1]:2:7)");
  const frame = [
    "Type error: Type 'string' is not assignable to type 'number'. (TS2322)",
    "",
    "  1 | console.log('side effect')",
    "> 2 | const count: number = 'text';",
    "    |       ~~~~~",
    "",
    "    at cell [1]:2:7",
    "",
    "The cell did not run.",
  ];
  assert.equal(error?.traceback.join("\n"), frame.join("\n"));
  assert.match((await run("count")).error?.evalue ?? "", /Cannot find name 'count'/);
});

test("a constant may be compared with another value than it has, because the cell that declares it may be run with that one", async () => {
  const { run } = strict();
  await run('const optimizer = "adam";\nconst seed = 1;\nconst isQuick = false;\nconst rate = 1e-3;');
  const code = 'let name = "";\nswitch (optimizer) { case "sgd": name = "SGD"; break; default: name = "other"; }\n';
  const compared = `${code}console.log(name, optimizer === "sgd", seed === 2, isQuick === true, rate === -0.5)`;
  assert.equal((await run(compared)).stdout, "other false false false false\n");
  const typo = await run('const mode = "train" as "train" | "test";\nmode === "trian"');
  assert.match(typo.error?.evalue ?? "", /no overlap/);
  assert.match((await run('seed === "1"')).error?.evalue ?? "", /no overlap/);
});

test("an error about a name that a refused cell declares names that cell, until another declares it", async () => {
  const { run } = strict();
  assert.equal((await run("const model = { size: 1 }, count: number = 'text';")).error?.ename, "TypeScriptError");
  const told = async () => (await run("model.size;")).error?.traceback.join("\n");
  assert.match((await told()) ?? "", /Cannot find name 'model'.*\n {2}cell \[1\] declares it but did not run/);
  await run("const model = { size: 1 }");
  assert.equal(await told(), undefined);
});

test("a long chain of reasons is shortened to its first and last", async () => {
  const { run } = strict();
  const { error } = await run(
    "const f: (x: Map<string, { q: Set<number> }>) => void = (x: Map<string, { q: Set<string> }>) => {}",
  );
  const text = error!.traceback.join("\n");
  assert.match(text, /Types of parameters 'x' and 'x' are incompatible\.\n.*… \d steps between …\n +Type 'number'/);
});

test("the kernel's packages have types when the notebook's folder has none", async () => {
  const { run } = strict();
  for (const name of ["@tensorflow/tfjs", "@tensorflow/tfjs-core", "@tensorflow/tfjs-node-gpu"]) {
    const { error } = await run(`import { tensor1d } from '${name}'\nconst s: string = tensor1d([1])`);
    assert.match(error?.evalue ?? "", /Type 'Tensor1D' is not assignable to type 'string'/);
  }
  const { error } = await run("import * as tslab from 'tslab'\ntslab.display.html(1)");
  assert.match(error?.evalue ?? "", /'number' is not assignable to parameter of type 'string'/);
});

test("a type is shown by its name, without the path of its file", async () => {
  const { run } = strict();
  await run('const { randn } = await import("halftone")');
  const { error } = await run("const text: string = randn([2, 3])");
  assert.match(error?.evalue ?? "", /^Type '.*Tensor.*' is not assignable to type 'string'/);
  assert.doesNotMatch(error?.traceback.join("\n") ?? "", /import\(|\/dist\//);
});

test("a shape mismatch is reported in the library's own words", async () => {
  const { run } = strict();
  const code =
    "import { add, type Tensor } from 'halftone'\ndeclare const a: Tensor<[2, 3]>, b: Tensor<[4]>\nadd(a, b)";
  const { error } = await run(code);
  assert.match(error!.evalue, /^add: \[2, 3\] and \[4\] do not broadcast/);
});

test("a shape or list that no overload takes is reported in the library's own words", async () => {
  const { run } = strict();
  await run('import { layerNorm, randn, transformerEncoderLayer } from "halftone"');
  await run("const layer = transformerEncoderLayer({ features: 32, heads: 4 })");
  const { error } = await run("layer.apply(layer.parameters, randn([2, 5, 16]))");
  assert.match(error!.evalue, /^transformerEncoderLayer: expected \[\.\.\., 32\], got \[2, 5, 16\]/);
  const list = await run("layerNorm([1, 2, 3])");
  assert.match(list.error!.evalue, /^Expected a tensor, got an array/);
});

test("the first line of a wrong layer, a wrong option and a wrong operand says what is wrong", async () => {
  const { run } = strict();
  await run(
    'import { add, layerNorm, linear, ones, relu, sequential, tensor } from "halftone"\nconst x = ones([2, 3])',
  );
  for (const [code, line] of [
    [
      "const net = sequential([linear({ in: 8, out: 16 }), relu, linear({ in: 8, out: 2 })])",
      "sequential: layer 2 takes 8 features, but gets 16",
    ],
    ["layerNorm({ feature: 8 })", "'feature' is not an option here, or a required option is missing."],
    ["tensor(x)", "Expected an array, got a tensor. Its numbers are `toArray(x)`."],
    ['add("1", x)', "Expected a tensor or a number, got string."],
  ] as const) {
    const { error } = await run(code);
    assert.ok(error?.evalue.startsWith(line), `${code}: ${error?.evalue}`);
  }
});

test("a layer of the library that is called as PyTorch's shows its options, and a function of that name does not", async () => {
  const { run } = strict();
  await run(
    'import { conv2d, dropout, embedding, layerNorm, linear, lstm, relu, sequential } from "halftone"\nconst size = 16',
  );
  for (const [code, example] of [
    ["linear(3, 4)", "linear({ in: 3, out: 4 })"],
    ["const table = embedding(\n  100,\n  size,\n)", "embedding({ count: 100, features: 16 })"],
    ["layerNorm(size)", "layerNorm({ features: 16 })"],
    ["conv2d(3, size, 3)", "conv2d({ in: 3, out: 16, kernelSize: 3 })"],
    ["dropout(0.1)", "dropout({ rate: 0.1 })"],
    ["lstm(8, 16)", "lstm({ in: 8, hidden: 16 })"],
    ["sequential(linear({ in: 3, out: 4 }), relu)", "sequential([linear({ in: 3, out: 4 }), relu])"],
  ] as const) {
    const { error } = await run(code);
    assert.ok(error?.evalue.includes(`, \`${example}\`. (`), `${code}: ${error?.evalue}`);
  }
  await run("function gru(size: number) { return size }");
  const { error } = await run("gru(1, 2)");
  assert.match(error!.evalue, /^Expected 1 arguments, but got 2/);
});

test("the first line of an error of train names examples in place of batches, a layer in place of a model, and a loss that is no scalar", async () => {
  const { run } = strict();
  await run(
    [
      'import { adamW, linear, mean, randn, square, type Tensor, train } from "halftone"',
      "const layer = linear({ in: 3, out: 2 }), optimizer = adamW(layer.parameters)",
      "const apply = (p: typeof layer.parameters, batch: { ids: ArrayLike<number> }) => layer.apply(p, randn([4, 3]))",
      "const tagger = { parameters: layer.parameters, apply }",
      "const net = { parameters: layer.parameters, apply: (p: typeof layer.parameters, { x }: { x: Tensor<[4, 3]> }) => layer.apply(p, x) }",
      "const batches = [{ x: randn([4, 3]) }], examples = [{ tokens: [1, 2], label: 1 }]",
    ].join("\n"),
  );
  for (const [code, line] of [
    [
      "model: tagger, batches: examples",
      /^These are examples, not batches: make batches of them, `dynamicLengthBatches\(/,
    ],
    [
      "model: layer, batches, loss: (out) => out",
      /^The model takes a tensor, but the batches are objects: .* `modelOf\(layer,/,
    ],
    [
      "model: net, batches, loss: (out, batch) => square(out)",
      /^The loss function must .*, got \[4, 2\]: take its `mean`./,
    ],
    [
      "model: tagger, batches: [{ ids: [1] }], loss: (out, batch) => out",
      /^The loss function must .*, got \[4, 2\]: take/,
    ],
    ["model: net, batches, loss: (out, batch) => 3", /^The loss function must return a scalar tensor, .*, got number./],
  ] as const) {
    const { error } = await run(`await train({ ${code}, optimizer, steps: 1 })`);
    assert.match(error!.evalue, line, code);
  }
  const valid =
    "const h = await train({ model: tagger, progress: false, batches: [{ ids: [1] }], optimizer, steps: 1, loss: (out, { ids }) => mean(out) })";
  assert.equal((await run(valid)).error?.evalue, undefined, "the parameters of a loss function have types");
});

test("an optimizer of a whole layer is told to take its parameters", async () => {
  const { run } = strict();
  await run('import { adamW, linear } from "halftone"\nconst layer = linear({ in: 3, out: 4 })');
  for (const code of ["adamW(layer)", "adamW({ layer })"]) {
    const { error } = await run(code);
    assert.match(error!.evalue, /^optimizer: expected a tree of parameters, got a layer: pass its `\.parameters`/);
  }
});

test("the first line of a training that does not fit says what the model takes or the batches lack", async () => {
  const { run } = strict();
  await run(
    [
      'import { adamW, arrayBatches, dynamicLengthBatches, evaluate, linear, modelOf, randn, type Tensor, train, transformerClassifier } from "halftone"',
      "const layer = linear({ in: 5, out: 3 }), optimizer = adamW(layer.parameters), y = [0, 1]",
      "const model = modelOf(layer, (batch: { x: Tensor<[number, 5]> }) => batch.x)",
    ].join("\n"),
  );
  const narrow = "arrayBatches({ x: randn([2, 4]), labels: y }, { batchSize: 2 })";
  const wider =
    /^The model takes batches whose x is Tensor<\[number, 5\]>, but that of these batches is Tensor<\[number, 4\], "float32">\./;
  for (const [code, line] of [
    [`train({ model, batches: ${narrow}, optimizer, steps: 1 })`, wider],
    [`evaluate(model, ${narrow})`, wider],
    [
      "train({ model, batches: arrayBatches({ y, labels: y }, { batchSize: 2 }), optimizer, steps: 1 })",
      /^The model takes batches with x, which these batches do not have\./,
    ],
    [
      "train({ model, batches: arrayBatches({ x: randn([2, 5]), y }, { batchSize: 2 }), optimizer, steps: 1 })",
      /^The batches have no `labels`, with which the default loss compares the outputs: give `loss`/,
    ],
    [
      "train({ model: transformerClassifier({ vocabularySize: 5, classes: 2, maxLength: 4, features: 8, heads: 2, layers: 1 }), batches: dynamicLengthBatches([{ source: { tokens: [1] }, label: 1 }], { batchSize: 1 }), optimizer, steps: 1 })",
      /^The model takes batches with rows, time, ids, mask, and 5 more, which these batches do not have\./,
    ],
  ] as const) {
    const { error } = await run(code);
    assert.match(error?.evalue ?? "", line, code);
  }
});

test("names unstack when a tensor is iterated", async () => {
  const { run } = strict();
  await run('import { ones } from "halftone"\nconst x = ones([2, 3])');
  for (const code of ["for (const row of x) row", "const [a, b] = x", "[...x]"]) {
    const { error } = await run(code);
    assert.match(error?.evalue ?? "", /^a tensor is not iterable; use unstack\(x\)/, code);
  }
});

test("suggests tensor([...]) when an array is passed", async () => {
  const { run } = strict();
  await run('import { add, layerNorm, randn, softmax } from "halftone"');
  for (const code of ["softmax([1, 2, 3])", "layerNorm(randn([2, 2]), [1, 2])", "add([1, 2], 3)"]) {
    const { error } = await run(code);
    assert.match(error?.evalue ?? "", /^Expected a tensor, got an array/, code);
  }
  assert.match((await run("softmax(3)")).error?.evalue ?? "", /^Argument of type 'number'/);
});

test("a name that cannot be found is one error, without follow-up errors", async () => {
  const { run } = strict();
  const wrong = await run("function mean(lengths: number[]): number[] { return lengths.length; }");
  assert.match(wrong.error?.evalue ?? "", /^Type 'number' is not assignable/);
  const uses = ["const all = mean([1]);", "all.map(([first]) => first);", "mean([2]).map((each) => each); mean([3]);"];
  const { error } = await run(uses.join("\n"));
  assert.equal(error?.evalue, "Cannot find name 'mean'. (cell [2]:1:13)");
  const frame = [
    "Type error: Cannot find name 'mean'. (TS2304)",
    "  cell [1] declares it but did not run",
    "  also on line 3",
    "",
    "> 1 | const all = mean([1]);",
    "    |             ~~~~",
    "  2 | all.map(([first]) => first);",
    "",
    "    at cell [2]:1:13",
    "",
    "The cell did not run.",
  ];
  assert.equal(error?.traceback.join("\n"), frame.join("\n"));
  // A mistake beside another one, or an implicit any alone, is still told.
  const two = await run("const a: number = 'x';\nconst b: number = 'y';");
  assert.match(two.error?.evalue ?? "", /and 1 more/);
  assert.match((await run("const f = (x) => x;")).error?.evalue ?? "", /implicitly has an 'any' type/);
});

test("under warn the error is shown, never on stderr, and the cell runs", async () => {
  const { run } = strict();
  assert.match(shown(await run("%types warn"))[0] ?? "", /%types is warn/);
  const ran = await run("const n: number = 'x'\nn");
  assert.equal(ran.text, "'x'");
  assert.equal(ran.stderr, "");
  assert.match(shown(ran).join("\n"), /^Type error: Type 'string'/);
  assert.match(shown(await run("%types"))[0] ?? "", /%types is warn/);
});

test("under off nothing is checked, and %types error checks again with what ran meanwhile", async () => {
  const { run } = strict();
  const first = await run("%types off\nconst n: number = 'x'\nn");
  assert.equal(first.text, "'x'");
  assert.match(shown(first)[0] ?? "", /%types is off/);
  assert.match((await run("%types maybe")).outputs.map((each) => JSON.stringify(each)).join(), /got maybe/);
  assert.match(shown(await run("%types error"))[0] ?? "", /%types is error/);
  assert.match((await run("const s: string = n")).error?.evalue ?? "", /'number' is not assignable to type 'string'/);
});

test("HALFTONE_TYPES sets the policy; an invalid value is reported and replaced by error", async () => {
  const warned = openNotebook({
    cwd: temporaryFolder(),
    env: { ...process.env, HALFTONE_TYPES: "warn" },
    types: { patience },
  });
  const told = await warned.run("const n: number = 'x'\nn");
  assert.equal(told.text, "'x'");
  assert.match(shown(told)[0] ?? "", /^Type error/);
  const wrong = openNotebook({
    cwd: temporaryFolder(),
    env: { ...process.env, HALFTONE_TYPES: "loud" },
    types: { patience },
  });
  const ran = await wrong.run("[1].length");
  assert.equal(ran.text, "1");
  assert.match(shown(ran)[0] ?? "", /Invalid HALFTONE_TYPES "loud" \(expected error, warn or off\); using "error"\./);
  assert.equal((await wrong.run("const n: number = 'x'")).error?.ename, "TypeScriptError");
});

test("code beside a magic is checked, with unchanged line numbers", async () => {
  const { run } = strict();
  const { error } = await run("%env\nconst x: number = 'y'");
  assert.match(error?.evalue ?? "", /\(cell \[1\]:2:7\)/);
});

test("options come from the nearest tsconfig.json, and the notebook's own override them", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "tsconfig.json"),
    '{ // relaxed\n "compilerOptions": { "strict": false, "lib": ["esnext", "dom"], "baseUrl": ".", "paths": { "#shapes": ["./lib/shapes.ts"] } } }',
  );
  mkdirSync(join(folder, "nested", "lib"), { recursive: true });
  mkdirSync(join(folder, "lib"));
  writeFileSync(join(folder, "lib", "shapes.ts"), "export const side = 3;\n");
  const cwd = join(folder, "nested");
  const relaxed = openNotebook({ cwd, types: { policy: "error", patience } });
  assert.equal(
    (await relaxed.run("function f(x) { return x; }\nconst title = () => document.title;")).outcome.status,
    "ok",
  );
  assert.match(
    (await relaxed.run("import { side } from '#shapes'\nconst s: string = side")).error?.evalue ?? "",
    /'number'/,
  );
  const own = openNotebook({ cwd, types: { policy: "error", patience, compilerOptions: { strict: true } } });
  assert.match((await own.run("function f(x) { return x; }")).error?.evalue ?? "", /implicitly has an 'any' type/);
});

test("a broken tsconfig.json is reported once, and cells are checked with the defaults", async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, "tsconfig.json"), '{ "compilerOptions": { "strict": fals');
  const { run } = openNotebook({ cwd, types: { policy: "error", patience } });
  const first = await run("const a = [1].length");
  assert.equal(first.outcome.status, "ok");
  assert.match(shown(first)[0] ?? "", /tsconfig\.json could not be read/);
  const second = await run("const b: number = 'x'");
  assert.equal(second.outcome.status, "error");
  assert.deepEqual(shown(second), []);
});

test("a package without types is any, with a warning; one installed later is found", async () => {
  const cwd = temporaryFolder();
  const write = (name: string, file: string, text: string) => {
    mkdirSync(join(cwd, "node_modules", name), { recursive: true });
    writeFileSync(join(cwd, "node_modules", name, file), text);
  };
  write("untyped", "package.json", '{ "name": "untyped", "version": "1.0.0", "main": "index.js" }');
  write("untyped", "index.js", "exports.answer = 42;");
  const { run } = openNotebook({ cwd, types: { policy: "error", patience, compilerOptions: { allowJs: false } } });
  const ran = await run("import { answer } from 'untyped'\nanswer");
  assert.equal(ran.text, "42");
  assert.match(shown(ran)[0] ?? "", /Type warning: Could not find a declaration file for module 'untyped'/);
  assert.match((await run("import { late } from 'later'")).error?.evalue ?? "", /Cannot find module 'later'/);
  write("later", "package.json", '{ "name": "later", "version": "1.0.0", "main": "index.js", "types": "index.d.ts" }');
  write("later", "index.js", "exports.late = 'now';");
  write("later", "index.d.ts", "export declare const late: string;");
  assert.match((await run("import { late } from 'later'\nconst n: number = late")).error?.evalue ?? "", /'string'/);
  assert.equal((await run("import { late } from 'later'\nlate")).text, "'now'");
});

test("a relative import follows edits of the file's types", async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, "data.ts"), "export const size = 1 as number;\n");
  const { run } = openNotebook({ cwd, types: { policy: "error", patience } });
  assert.equal((await run("import { size } from './data.ts'\nsize.toFixed(1)")).text, "'1.0'");
  writeFileSync(join(cwd, "data.ts"), "export const size = 'large' as string;\n");
  assert.equal((await run("import { size } from './data.ts'\nsize.toUpperCase()")).text, "'LARGE'");
});

test("a restart clears the types with the values", async () => {
  const { run, session } = strict();
  await run("const gone = [1]");
  await session.restart();
  assert.match((await run("gone.length")).error?.evalue ?? "", /Cannot find name 'gone'/);
});

test("after the language server is killed a cell runs, with at most a note, and the next is checked", async () => {
  const { run, session } = strict();
  await run("const before = [1].length");
  process.kill(session.checkerPid!, "SIGKILL");
  const during = await run("const during = before + 1\nduring");
  assert.equal(during.text, "2");
  assert.equal(during.stderr, "");
  const after = await run("const wrong: string = before + during");
  assert.match(after.error?.evalue ?? "", /'number' is not assignable to type 'string'/);
});

test("a check that does not end is abandoned: the cell runs with a note, and the next is checked", async () => {
  const { run, session } = openNotebook({ cwd: temporaryFolder(), types: { policy: "error", patience: 4000 } });
  await run("const before = [1].length");
  const stuck = await answeredLate("const x = before + 1\nx");
  assert.equal(stuck.text, "2");
  assert.match(shown(stuck)[0] ?? "", /types were not checked: the type checker did not answer within 4 s/);
  /** What is asked behind the cells may be what does not end: then the cell is checked by the next server. */
  async function answeredLate(code: string) {
    for (let tries = 0; ; tries++) {
      await session.complete("before.", 7);
      await stop(session.checkerPid!);
      const ran = await run(code);
      if (shown(ran).length > 0 || tries === 3) return ran;
    }
  }
  const deadline = Date.now() + 20_000;
  let found: string | undefined;
  while (found === undefined && Date.now() < deadline) found = (await run("const s: string = before")).error?.evalue;
  assert.match(found ?? "", /'number' is not assignable/);
});

test("an interrupt ends a check, and the cell does not run", async () => {
  const { run, session } = strict();
  await run("const before = [1].length");
  await stop(session.checkerPid!);
  const waiting = run("console.log(before)");
  setTimeout(() => session.interrupt(), 50);
  const { error, stdout } = await waiting;
  assert.equal(error?.ename, "KeyboardInterrupt");
  assert.equal(stdout, "");
});

test("an endlessly recursive type, a syntax error and a cell of 2 MB each get an answer", async () => {
  const { run } = strict();
  const endless = await run("type Grow<T extends unknown[]> = Grow<[...T, T]>;\nlet x: Grow<[]>");
  assert.match(endless.error?.evalue ?? "", /excessively deep|circularly references itself/);
  assert.equal((await run("const ((")).error?.ename, "SyntaxError");
  const rows = Array.from({ length: 40_000 }, (_, i) => `{ id: ${i}, name: "row ${i}", even: ${i % 2 === 0} },`);
  const big = await run(`const rows = [\n${rows.join("\n")}\n];\nrows.length`);
  assert.equal(big.text, "40000");
  assert.match((await run("rows.lenght")).error?.evalue ?? "", /Property 'lenght' does not exist/);
});
