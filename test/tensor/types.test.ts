import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transformSync } from "oxc-transform";
import { ready } from "../../src/runtime/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const fixtures = path.join(root, "test/tensor/fixtures");
const scratch = temporaryFolder();
before(ready);

interface Diagnostic {
  file: string;
  line: number;
  text: string;
}

const tsc = path.join(root, "node_modules/typescript/bin/tsc");

/** What the compiler says of the fixtures, which see the library as a user's program does. */
function compile(...mode: string[]): Diagnostic[] {
  const options = ["-p", fixtures, "--noErrorTruncation", ...mode];
  const { stdout } = spawnSync(process.execPath, [tsc, ...options], { encoding: "utf8" });
  return [...stdout.matchAll(/^(?:.*\/)?([\w-]+\.ts)\((\d+),\d+\): error (.*)$/gm)].map((match) => ({
    file: match[1]!,
    line: Number(match[2]),
    text: match[3]!,
  }));
}

const modes = [
  { mode: "strict", diagnostics: compile("--strict", "true") },
  { mode: "not strict", diagnostics: compile("--strict", "false") },
  { mode: "unchecked indices", diagnostics: compile("--strict", "true", "--noUncheckedIndexedAccess", "false") },
];

for (const { mode, diagnostics } of modes)
  test(`shapes are inferred from patterns and axes, and every op accepts unknown sizes (${mode})`, () => {
    assert.deepEqual(
      diagnostics.filter(({ file }) => file !== "mistakes.ts" && file !== "iteration.ts"),
      [],
    );
  });

test("the declarations need nothing beyond es2022 and Node's or the browser's types", () => {
  const program = path.join(scratch, "program");
  mkdirSync(path.join(program, "node_modules"), { recursive: true });
  symlinkSync(root, path.join(program, "node_modules/halftone"), "junction");
  writeFileSync(path.join(program, "package.json"), '{ "type": "module" }');
  writeFileSync(
    path.join(program, "program.ts"),
    'import { add, scope, tensor } from "halftone";\nconst block = scope();\nexport const y = add(tensor([1]), 1);\nblock[Symbol.dispose]();\n',
  );
  const common = [
    "--ignoreConfig",
    "--noEmit",
    "--target",
    "es2022",
    "--module",
    "nodenext",
    "--skipLibCheck",
    "false",
  ];
  const typeRoots = ["--typeRoots", path.join(root, "node_modules/@types")];
  for (const options of [
    ["--lib", "es2022", "--types", "node", ...typeRoots],
    ["--lib", "es2022,dom", "--types", ""],
  ]) {
    const { stdout } = spawnSync(process.execPath, [tsc, ...common, ...options, "program.ts"], {
      cwd: program,
      encoding: "utf8",
    });
    // tfjs' own declarations have errors of their own.
    const own = stdout.split("\n").filter((line) => /^program|\bdist\/(?:src|kernel)\//.test(line));
    assert.deepEqual(own, [], options.join(" "));
    assert.match(stdout, /error TS|^$/);
  }
});

/** The functions that a fixture exports as `name`, one a line, and their lines. */
async function functionsOf(file: string, name: string): Promise<{ functions: (() => unknown)[]; lines: number[] }> {
  const source = readFileSync(path.join(fixtures, file), "utf8");
  const script = transformSync(file, source).code.replace(/"[./]+\/dist\/(.*?)"/g, (_, imported: string) =>
    JSON.stringify(pathToFileURL(path.join(root, "dist", imported)).href),
  );
  const compiled = path.join(scratch, file.replace(/ts$/, "mjs"));
  writeFileSync(compiled, script);
  const functions = ((await import(pathToFileURL(compiled).href)) as Record<string, (() => unknown)[]>)[name]!;
  const lines = source.split("\n").flatMap((line, i) => (line.startsWith("  () =>") ? [i + 1] : []));
  assert.equal(lines.length, functions.length);
  return { functions, lines };
}

test("a mistake is one compile error, on its line, with the message of the run-time error", async () => {
  const { functions, lines } = await functionsOf("mistakes.ts", "mistakes");
  for (const [i, mistake] of functions.entries()) {
    let message = "";
    assert.throws(mistake, (error: Error) => {
      // At run time a name has its size beside it.
      message = error.message.replaceAll(/([a-z]+)=\d+/g, "$1");
      return true;
    });
    for (const { mode, diagnostics } of modes) {
      const found = diagnostics.filter(({ file, line }) => file === "mistakes.ts" && line === lines[i]);
      const words = found.map(({ text }) => /parameter of type '"(.*)"'\.$/.exec(text)?.[1] ?? text);
      assert.deepEqual(words, [message], mode);
    }
  }
});

test("iterating a tensor is a compile error and a run-time error that names unstack", async () => {
  const { functions, lines } = await functionsOf("iteration.ts", "iterations");
  const message = "a tensor is not iterable; use unstack(x), the list of its slices along an axis";
  for (const [i, iteration] of functions.entries()) {
    assert.throws(iteration, new TypeError(message));
    for (const { mode, diagnostics } of modes) {
      const found = diagnostics.filter(({ file, line }) => file === "iteration.ts" && line === lines[i]);
      assert.equal(found.length, 1, `${mode}, line ${lines[i]}`);
      // Without strictNullChecks the compiler has no error that shows a type of ours.
      if (mode !== "not strict" && !found[0]!.text.startsWith("TS2769"))
        assert.ok(found[0]!.text.includes(`'"${message}"'`));
    }
  }
});
