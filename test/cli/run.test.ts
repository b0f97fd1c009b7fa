import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { code, markdown, notebookJson, writeCells } from "../notebook/cells.ts";
import { schemaFaults } from "../notebook/schema.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { halftone, start } from "./halftone.ts";

const read = (...parts: string[]) => readFileSync(path.join(...parts), "utf8");
const outputs = (json: string) =>
  (JSON.parse(json) as { cells: { outputs?: unknown[] }[] }).cells.map((cell) => JSON.stringify(cell.outputs ?? []));

test("run writes a valid executed copy, prints one line per cell and does not change the input", async () => {
  const folder = temporaryFolder();
  const file = writeCells(folder, "a.ipynb", [
    markdown("# A"),
    code("\nconst steps = 2;", "parameters"),
    code("steps * 21"),
  ]);
  const before = read(file);
  const { status, stdout, stderr } = await halftone([
    "run",
    file,
    "-p",
    "steps=3",
    "-o",
    path.join(folder, "out", "b.ipynb"),
  ]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, `${path.join(folder, "out", "b.ipynb")}\n`);
  assert.match(stderr, /1\/3 {2}const steps = 2; +\d+\.\d s\n {2}2\/3 {2}\/\/ Parameters.*\n {2}3\/3 {2}steps \* 21/);
  const written = read(folder, "out", "b.ipynb");
  assert.deepEqual(schemaFaults(written), []);
  assert.match(written, /"63"/);
  assert.equal(read(file), before);
  assert.deepEqual(readdirSync(path.join(folder, "out")), ["b.ipynb"]);
});

test("without -o the copy is written beside the input", async () => {
  const folder = temporaryFolder();
  await halftone(["run", writeCells(folder, "a.ipynb", [code("1")])]);
  assert.deepEqual(readdirSync(folder), ["a.executed.ipynb", "a.ipynb"]);
});

test("--no-models leaves out a notebook whose downloads are not in the cache, and --models after it runs all", async () => {
  const folder = temporaryFolder();
  writeCells(folder, "a.ipynb", [code("1")]);
  const file = writeCells(folder, "b.ipynb", [code("2")]);
  const notebook = JSON.parse(read(file));
  notebook.metadata.downloads = ["models/not-there"];
  writeFileSync(file, JSON.stringify(notebook));
  const out = path.join(folder, "out");
  const { status, stderr } = await halftone(["run", folder, "-o", out, "--no-models"]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /b\.ipynb is left out, because it would download models\/not-there: --models runs it, too/);
  assert.deepEqual(
    readdirSync(out).filter((name) => name.endsWith(".ipynb")),
    ["a.ipynb"],
  );
  assert.equal((await halftone(["run", folder, "-o", out, "--no-models", "--models"])).status, 0);
  assert.deepEqual(
    readdirSync(out).filter((name) => name.endsWith(".ipynb")),
    ["a.ipynb", "b.ipynb"],
  );
  assert.equal((await halftone(["run", file, "--no-models"])).status, 0);
  assert.ok(!existsSync(path.join(folder, "b.executed.ipynb")));
});

test("a failing cell ends the run with status 1 and its traceback, and the executed cells are kept", async () => {
  const folder = temporaryFolder();
  const file = writeCells(folder, "a.ipynb", [code("1"), code('throw new RangeError("too long")'), code("3")]);
  const { status, stderr } = await halftone(["run", file]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /RangeError: too long[\s\S]*Cell 2 of 3 failed \(RangeError\)\. The executed cells are in .*a\.executed\.ipynb/,
  );
  const [first, second, third] = outputs(read(folder, "a.executed.ipynb"));
  assert.match(first!, /"1"/);
  assert.match(second!, /too long/);
  assert.equal(third, "[]");
  assert.equal((await halftone(["run", file, "--allow-errors"])).status, 0);
});

for (const [what, signal, expected] of [
  ["Ctrl-C", "SIGINT", 130],
  ["closing the terminal", "SIGHUP", 129],
] as const)
  test(`${what} stops the cell, saves what ran and gives status ${expected}`, async () => {
    const folder = temporaryFolder();
    const file = writeCells(folder, "a.ipynb", [code("6 * 7"), code("while (true) {}")]);
    const running = start(["run", file]);
    await running.said("1/2");
    running.kill(signal);
    const { status, stderr } = await running.finished;
    assert.equal(status, expected, stderr);
    assert.match(stderr, /Interrupted\. The executed cells are in/);
    assert.match(outputs(read(folder, "a.executed.ipynb"))[0]!, /"42"/);
  });

test("a folder gives executed copies, a page for each, a landing page, and continues after a failure", async () => {
  const folder = temporaryFolder();
  const inputs = path.join(folder, "in");
  const out = path.join(folder, "out");
  mkdirSync(inputs);
  writeCells(inputs, "1-bad.ipynb", [markdown("# Broken <one>"), code("nothing.at.all")]);
  writeCells(inputs, "2-good.ipynb", [markdown("# Good one"), code("2")]);
  writeFileSync(path.join(inputs, "notes.txt"), "not a notebook");
  const { status, stdout, stderr } = await halftone(["run", inputs, "-o", out]);
  assert.equal(status, 1, stderr);
  assert.equal(stdout.trim().split("\n").at(-1), `Report: ${path.join(out, "index.html")}`);
  const names = ["1-bad.html", "1-bad.ipynb", "2-good.html", "2-good.ipynb", "index.html"];
  assert.deepEqual(readdirSync(out).sort(), names);
  const landing = read(out, "index.html");
  assert.match(landing, /Broken &lt;one&gt;[\s\S]*failed[\s\S]*Good one[\s\S]*done/);
});

test("a second run of a folder runs only changed or unfinished notebooks, and reports the others", async () => {
  const folder = temporaryFolder();
  const inputs = path.join(folder, "in");
  const out = path.join(folder, "out");
  mkdirSync(inputs);
  writeFileSync(path.join(folder, "in", "rows.txt"), "1");
  const ran = (name: string) => `import { appendFileSync } from "node:fs"; appendFileSync("../log", "${name} ");`;
  writeCells(inputs, "a.ipynb", [code("const size = 1;", "parameters"), code(ran("a"))]);
  writeCells(inputs, "b.ipynb", [code(ran("b")), code('"rows.txt"')]);
  writeCells(inputs, "c.ipynb", [code(ran("c")), code("nothing.at.all")]);
  const log = async (...args: string[]) => {
    writeFileSync(path.join(folder, "log"), "");
    const { stderr } = await halftone(["run", inputs, "-o", out, ...args]);
    return { ran: read(folder, "log").trim().split(" ").sort().join(" "), stderr };
  };
  assert.equal((await log()).ran, "a b c");
  const again = await log();
  assert.equal(again.ran, "c");
  assert.match(again.stderr, /a\.ipynb is unchanged since its last run \(--fresh runs it again\)/);
  assert.match(read(out, "index.html"), /a\.ipynb[\s\S]*b\.ipynb[\s\S]*c\.ipynb/);
  assert.equal((await log("-p", "size=2")).ran, "a c");
  writeFileSync(path.join(inputs, "rows.txt"), "2");
  assert.equal((await log("-p", "size=2")).ran, "b c");
  writeCells(inputs, "b.ipynb", [markdown("# New words"), code(ran("b")), code('"rows.txt"')]);
  assert.equal((await log("-p", "size=2")).ran, "b c");
  assert.equal((await log("-p", "size=2", "--fresh")).ran, "a b c");
});

test("when two notebooks run at once, each line names its notebook, and an interruption reaches both", async () => {
  const folder = temporaryFolder();
  const inputs = path.join(folder, "in");
  mkdirSync(inputs);
  // Each notebook waits for the other, so the run ends only if both run at once.
  const meet = (own: string, other: string) =>
    `import { existsSync, writeFileSync } from "node:fs"; writeFileSync("${own}", "");
     while (!existsSync("${other}")) await new Promise((resolve) => setTimeout(resolve, 20));`;
  writeCells(inputs, "left.ipynb", [code(meet("l", "r")), code("while (true) {}")]);
  writeCells(inputs, "right.ipynb", [code(meet("r", "l")), code("while (true) {}")]);
  writeCells(inputs, "third.ipynb", [code("1")]);
  const running = start(["run", inputs, "--jobs", "2", "-o", path.join(folder, "out")]);
  await running.said("left   1/2  import");
  await running.said("right  1/2  import");
  running.kill("SIGINT");
  const { status, stderr } = await running.finished;
  assert.equal(status, 130, stderr);
  assert.match(stderr, /^2 notebooks at a time, with \d+ of \d+ cores each$/m);
  assert.equal(stderr.match(/Interrupted\. The executed cells are in/g)?.length, 2);
  const landing = read(folder, "out", "index.html");
  assert.equal(landing.match(/class="state interrupted"/g)?.length, 2);
  assert.doesNotMatch(landing, /third/);
});

const valid = [code("const steps = 1;", "parameters")];
const refusals: [what: string, args: (folder: string) => string[], message: RegExp][] = [
  ["a missing notebook", () => ["run", "none.ipynb"], /^There is no notebook or folder at none\.ipynb\.$/],
  ["a missing notebook to report", () => ["report", "none.ipynb"], /^There is no notebook at none\.ipynb\.$/],
  ["invalid JSON", () => ["run", "broken.ipynb"], /^broken\.ipynb is not valid JSON at line 2, column 1: .+$/],
  ["nbformat 3", () => ["run", "old.ipynb"], /nbformat 3.*jupyter nbconvert --to notebook/],
  ["a Python notebook", () => ["run", "python.ipynb"], /is a python notebook \(kernel "python3"\)/],
  ["an unknown parameter", () => ["run", "ok.ipynb", "-p", "step=1"], /no parameter "step"\. Did you mean "steps"\?/],
  ["a wrong extension", () => ["run", "notes.txt"], /must end in \.ipynb/],
  ["a wrong output name", () => ["run", "ok.ipynb", "-o", "x.json"], /must end in \.ipynb/],
  ["a page of a wrong name", () => ["report", "ok.ipynb", "-o", "x.pdf"], /must end in \.html/],
  ["a folder without notebooks", () => ["run", "empty"], /There is no notebook \(\.ipynb\) in the folder empty/],
  ["an output folder that is a file", () => ["run", "ok.ipynb", "-o", "notes.txt/x.ipynb"], /is a file, not a folder/],
  [
    "an object without cells",
    () => ["run", "empty.ipynb"],
    /empty\.ipynb is not a notebook\. The nbformat field is missing\./,
  ],
  [
    "a binary file",
    () => ["report", "binary.ipynb"],
    /binary\.ipynb is not a notebook: it is a binary file, not text\.$/,
  ],
  ["a folder in place of a notebook", () => ["report", "folder.ipynb"], /folder\.ipynb is a folder, not a notebook\.$/],
  [
    "a notebook in place of a folder",
    () => ["check", "ok.ipynb/a.ipynb"],
    /a part of this path is a file, not a folder\.$/,
  ],
  [
    "a missing file of parameters",
    () => ["run", "ok.ipynb", "-f", "x.json"],
    /There is no JSON file of parameters at -f x\.json\.$/,
  ],
  [
    "YAML parameters",
    () => ["run", "ok.ipynb", "-f", "notes.txt"],
    /-f notes\.txt is not valid JSON at line 1, column 1: unexpected t\. It should/,
  ],
  [
    "an invalid time",
    () => ["run", "ok.ipynb", "--timeout", "soon"],
    /argument 'soon' is invalid\. It should be a number of seconds above 0\.\n/,
  ],
  [
    "an invalid policy",
    () => ["install", "--types", "loose"],
    /^Invalid --types "loose" \(expected error, warn or off\)\.$/,
  ],
  ["a folder as its own output", () => ["run", ".", "-o", "."], /would be overwritten/],
];

test("an invalid command gets a short message and status 2, and nothing is written", async (context) => {
  for (const [what, args, message] of refusals) {
    await context.test(what, async () => {
      const folder = temporaryFolder();
      writeCells(folder, "ok.ipynb", valid);
      if (what !== "a folder as its own output") {
        writeFileSync(path.join(folder, "broken.ipynb"), '{"cells": [\n}');
        writeFileSync(path.join(folder, "old.ipynb"), '{"nbformat": 3}');
      }
      const python = { kernelspec: { name: "python3", display_name: "Python 3", language: "python" } };
      writeFileSync(path.join(folder, "python.ipynb"), notebookJson([code("1")], python));
      writeFileSync(path.join(folder, "notes.txt"), "text");
      writeFileSync(path.join(folder, "empty.ipynb"), "{}");
      writeFileSync(
        path.join(folder, "binary.ipynb"),
        Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x07]),
      );
      mkdirSync(path.join(folder, "folder.ipynb"));
      mkdirSync(path.join(folder, "empty"));
      const before = readdirSync(folder);
      const { status, stdout, stderr } = await halftone(args(folder), { cwd: folder });
      // Here the operating system refuses the output folder, which gives status 1.
      assert.equal(status, what === "an output folder that is a file" ? 1 : 2, stderr);
      assert.equal(stdout, "");
      const lines = stderr.trim().split("\n");
      assert.ok(lines.length <= 3, stderr);
      assert.match(message.source.includes("\\n") ? stderr : lines.at(-1)!, message);
      assert.ok(!/[^\n\x20-\x7e]/.test(stderr), JSON.stringify(stderr));
      assert.ok(!/^\s+at /m.test(stderr), stderr);
      assert.deepEqual(readdirSync(folder), before);
    });
  }
});

test("an unknown option gives status 2", async () => {
  const { status, stderr } = await halftone(["run", "x.ipynb", "--fast"]);
  assert.equal(status, 2);
  assert.match(stderr, /unknown option '--fast'/);
});

test("a full file system is reported, and no temporary file is left", async () => {
  const folder = temporaryFolder();
  const file = writeCells(folder, "a.ipynb", [code('console.log("x".repeat(200_000))')]);
  // A limit on file size simulates a full disk: the write also fails half-way, and no root is needed.
  const limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "limited"];
  const { status, stderr } = await halftone(["run", file], { through: limited });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /Cannot write .*a\.executed\.ipynb: the file would be larger than this system allows/);
  assert.ok(!/^\s+at /m.test(stderr), stderr);
  assert.deepEqual(readdirSync(folder), ["a.executed.ipynb", "a.ipynb"]);
  assert.doesNotThrow(() => JSON.parse(read(folder, "a.executed.ipynb")));
});

test("an output path that cannot be written is refused before a cell runs", async (context) => {
  if (!existsSync("/proc/self")) return context.skip("there is no /proc, where nobody can write");
  const file = writeCells(temporaryFolder(), "a.ipynb", [code("1")]);
  const { status, stderr } = await halftone(["run", file, "-o", "/proc/halftone/out.ipynb"]);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /Cannot write \/proc\/halftone\/out\.ipynb: .* \(E[A-Z]+\)\.\n$/);
  assert.ok(!stderr.includes("1/1"), stderr);
});

test("a folder's page that cannot be written is refused before a cell runs", async () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "in"));
  writeCells(path.join(folder, "in"), "a.ipynb", [code("1")]);
  mkdirSync(path.join(folder, "out", "index.html"), { recursive: true });
  const { status, stderr } = await halftone(["run", path.join(folder, "in"), "-o", path.join(folder, "out")]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^Cannot write .*index\.html: this is a folder, not a file; choose another place with -o \(EISDIR\)\.\n$/,
  );
});

test("a notebook with the longest possible name for its copy runs; with a longer name no cell runs", async () => {
  const folder = temporaryFolder();
  // On Linux a name has at most 255 bytes, of which ".executed.ipynb" takes 15.
  const longest = writeCells(folder, `${"n".repeat(240)}.ipynb`, [code("1")]);
  const ran = await halftone(["run", longest]);
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(outputs(read(folder, `${"n".repeat(240)}.executed.ipynb`))[0]!, /"1"/);
  const longer = writeCells(folder, `${"n".repeat(120)}${"é".repeat(61)}.ipynb`, [code("1")]);
  const { status, stderr } = await halftone(["run", longer]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^Cannot write .*: the name is longer than the file system allows; choose another place with -o \(ENAMETOOLONG\)\.\n$/,
  );
  assert.equal((await halftone(["run", longer, "-o", path.join(folder, "short.ipynb")])).status, 0);
});

test("missing permissions are reported with advice", async (context) => {
  const nobody = ["setpriv", "--reuid=65534", "--clear-groups"];
  const root = process.getuid?.() === 0;
  if (root && spawnSync(nobody[0]!, [...nobody.slice(1), process.execPath, "-v"]).status !== 0)
    return context.skip("no other user can run node here");
  const through = root ? nobody : [];
  const folder = temporaryFolder();
  const shut = path.join(folder, "shut");
  mkdirSync(shut);
  const file = writeCells(folder, "a.ipynb", [code("1")]);
  const secret = writeCells(folder, "secret.ipynb", [code("1")]);
  chmodSync(secret, 0);
  chmodSync(shut, 0o555);
  chmodSync(folder, 0o755);
  const env = { ...process.env, HOME: shut };
  const cases: [args: string[], status: number, message: RegExp][] = [
    [["run", secret], 2, /^.*secret\.ipynb cannot be read: there is no permission to read it \(EACCES\)\.\n$/],
    [
      ["report", file, "-o", path.join(shut, "a.html")],
      1,
      /^Cannot write .*a\.html: no permission to write there; choose another place with -o \(EACCES\)\.\n$/,
    ],
    [["assign", file, "-o", shut], 2, /is not an assignment/],
    [["export", file, "-o", path.join(shut, "a.ts")], 1, /^Cannot write .*a\.ts: no permission/],
    [["images", file, "-o", path.join(shut, "a.ipynb")], 1, /^Cannot write .*a\.ipynb: no permission/],
    [
      ["install", "--prefix", path.join(shut, "env")],
      1,
      /^Cannot write .*kernels\/halftone: no permission to write there; choose another location with --prefix FOLDER or --sys-prefix \(EACCES\)\.\n$/,
    ],
  ];
  for (const [args, status, message] of cases) {
    const finished = await halftone(args, { through, env });
    assert.equal(finished.status, status, `${args.join(" ")}: ${finished.stderr}`);
    assert.match(finished.stderr, message);
    assert.equal(finished.stdout, "");
  }
});

test("every command that writes refuses at once a folder that cannot be created", async (context) => {
  if (!existsSync("/proc/self")) return context.skip("there is no /proc, where nobody can write");
  const file = writeCells(temporaryFolder(), "a.ipynb", [code("1")]);
  for (const [args, cache] of [
    [["install", "--prefix", "/proc/x"], undefined],
    [["report", file, "-o", "/proc/x/a.html"], undefined],
    [["export", file, "-o", "/proc/x/a.ts"], undefined],
    [["images", file, "-o", "/proc/x/a.ipynb"], undefined],
    [["lab"], "/proc/x"],
  ] as const) {
    const env = { ...process.env, ...(cache === undefined ? {} : { HALFTONE_CACHE: cache }) };
    const { status, stderr } = await halftone([...args], { env });
    assert.equal(status, 1, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /^Cannot write \/proc\/x\/.*: its folder cannot be created; .* \(ENOENT\)\.\n$/);
  }
});

test("lab without Python says in one line what to install", async () => {
  const env = { ...process.env, PATH: temporaryFolder(), HALFTONE_CACHE: temporaryFolder() };
  const { status, stdout, stderr } = await halftone(["lab"], { env });
  assert.equal(status, 1);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^Python 3 is missing: install it \(Debian: apt install python3-venv\)\. Or use a Jupyter of your own: .*\n$/,
  );
});

for (const [what, options, message] of [
  ["a read-only disk", "ro", /the file system is read-only.*\(EROFS\)/],
  ["a full disk", "size=4k", /the disk is full.*\(ENOSPC\)/],
] as const) {
  test(`${what} gives a clear message, and no partial file is left`, async (context) => {
    const folder = temporaryFolder();
    const disk = path.join(folder, "disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", disk]).status === 0;
    if (!mounted) return context.skip("a disk to try can only be mounted by root");
    try {
      const file = writeCells(folder, "a.ipynb", [code(`"${"x".repeat(10_000)}"`)]);
      const { status, stderr } = await halftone(["run", file, "-o", path.join(disk, "b.ipynb")]);
      assert.equal(status, 1, stderr);
      assert.match(stderr, message);
      assert.ok(!/^\s+at /m.test(stderr), stderr);
      assert.deepEqual(readdirSync(disk), []);
    } finally {
      spawnSync("umount", [disk]);
    }
  });
}
