import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { halftone } from "../cli/halftone.ts";
import { type Jupyter, jupyter, peers } from "./jupyter.ts";

const assignments = fileURLToPath(new URL("../../../notebooks/assignments", import.meta.url));
const names = ["batching", "fixed-padding", "memory-budget", "number-formats"];
/** Seconds that a cell may take when it is graded: the first one of a notebook loads the library and the type checker. */
const timeout = 40;
/** The same where a cell is endless, which is waited for: more than a first cell takes. */
const timeoutOfEndless = 15;

interface Submission {
  cells: { source: string[]; metadata: { nbgrader?: { grade_id: string; solution: boolean } } }[];
}
type Answers = Record<string, string>;

const read = (file: string) => JSON.parse(readFileSync(file, "utf8")) as Submission;
const fileOf = (course: string, ...folders: string[]) => path.join(course, ...folders, `${folders.at(-1)}.ipynb`);

/** Writes a student's submission: the students' version with some of its cells answered. */
function submit(course: string, student: string, name: string, answers: Answers): void {
  const notebook = read(fileOf(course, "release", name));
  for (const cell of notebook.cells) {
    const answer = answers[cell.metadata.nbgrader?.grade_id ?? ""];
    if (answer !== undefined) cell.source = [answer];
  }
  const file = fileOf(course, "submitted", student, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(notebook));
}

function teachersAnswers(course: string, name: string): Answers {
  const { cells } = read(fileOf(course, "source", name));
  const solutions = cells.filter(({ metadata }) => metadata.nbgrader?.solution);
  return Object.fromEntries(solutions.map(({ metadata, source }) => [metadata.nbgrader!.grade_id, source.join("")]));
}

async function grade({ run }: Jupyter, course: string): Promise<Record<string, Record<string, number>>> {
  const script = path.join(peers, "nbgrade.py");
  const ran = await run("python", [script, "grade", `${timeout}`, `endless=${timeoutOfEndless}`], {
    cwd: course,
    timeout: 900_000,
  });
  assert.equal(ran.status, 0, ran.stderr.slice(-4000));
  return JSON.parse(ran.stdout.trim().split("\n").at(-1)!);
}

test("nbgrader hands out, grades and answers the course's assignments", async (context) => {
  const peer = await jupyter();
  const course = path.join(peer.folder, "course");
  cpSync(assignments, course, { recursive: true });
  const generated = await peer.run("python", [path.join(peers, "nbgrade.py"), "generate"], { cwd: course });
  assert.equal(generated.status, 0, generated.stderr.slice(-4000));
  assert.deepEqual(readdirSync(path.join(course, "release")).sort(), names);

  await context.test("halftone assign makes the same students' versions, byte for byte", async () => {
    for (const name of names) {
      const mine = path.join(course, "mine", name);
      const { status, stderr } = await halftone(["assign", path.join(course, "source", name), "-o", mine]);
      assert.equal(status, 0, stderr);
      const [own, peers] = [mine, path.join(course, "release", name)].map((folder) =>
        readFileSync(path.join(folder, `${name}.ipynb`), "utf8"),
      );
      assert.equal(own, peers);
      assert.doesNotMatch(own!, /SOLUTION|HIDDEN|MARK SCHEME/);
    }
  });

  const right = teachersAnswers(course, "fixed-padding");
  const endless = "function paddingShare(lengths: number[], length: number): number { while (true) {} }";
  const crash = "function paddingShare(lengths: number[], length: number): number { return process.exit(7); }";
  const uncut = `function paddingShare(lengths: number[], length: number): number {
    return 1 - lengths.reduce((total, each) => total + each, 0) / (lengths.length * length);
  }`;
  const misshapen = `function maskedMean(
    x: Tensor<["batch", "time", "features"]>,
    mask: Tensor<["batch", "time"]>,
  ): Tensor<["batch", "features"]> {
    return sum(x, "features");
  }`;
  const students: Record<string, Answers> = {
    right,
    wrong: {
      pad: "function padTo(sequences: number[][], length: number) { return { ids: sequences, mask: sequences }; }",
      share: "function paddingShare(lengths: number[], length: number): number { return 2; }",
      mean: misshapen,
    },
    partly: { pad: right.pad!, share: uncut },
    endless: { ...right, share: endless },
    crash: { ...right, share: crash },
  };
  for (const [student, answers] of Object.entries(students)) submit(course, student, "fixed-padding", answers);
  for (const name of names.filter((each) => each !== "fixed-padding")) {
    submit(course, "right", name, teachersAnswers(course, name));
    submit(course, "untouched", name, {});
  }
  const scores = await grade(peer, course);

  const expected: Record<string, [pad: number, share: number, mean: number]> = {
    right: [2, 2, 3],
    wrong: [0, 0, 0],
    // Two of the four cases have no sequence to cut.
    partly: [2, 1, 0],
    endless: [2, 0, 3],
    // What was defined before the crash is gone.
    crash: [2, 0, 0],
  };
  for (const [student, [pad, share, mean]] of Object.entries(expected)) {
    await context.test(`a submission that is ${student} gets its points`, () => {
      const given = scores[`${student}/fixed-padding`]!;
      assert.deepEqual([given["pad-tests"], given["share-tests"], given["mean-tests"]], [pad, share, mean]);
      assert.equal(given.total, pad + share + mean);
    });
  }

  await context.test("in the other assignments the teacher's answers get all points, and none get none", () => {
    const totals = { batching: 7, "memory-budget": 9, "number-formats": 8 };
    for (const [name, total] of Object.entries(totals)) {
      assert.equal(scores[`right/${name}`]?.total, total, name);
      assert.equal(scores[`untouched/${name}`]?.total, 0, name);
    }
  });

  const feedback = (student: string) =>
    readFileSync(path.join(course, "feedback", student, "fixed-padding", "fixed-padding.html"), "utf8");

  await context.test("feedback tells what the type checker found, what ran too long and what crashed", () => {
    assert.match(feedback("wrong"), /not assignable to type/);
    assert.match(feedback("endless"), /CellTimeoutError/);
    assert.match(feedback("crash"), /process\.exit/);
    assert.match(feedback("right"), /Score: 7\.0 \/ 10\.0/);
  });
});
