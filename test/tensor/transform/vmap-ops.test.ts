import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ready, runtimeInfo } from "../../../src/runtime/index.ts";
import { type Program, readPrograms, tensorsIn } from "../fuzz/program.ts";
import { type Comparison, difference } from "./examples.ts";

before(ready);

const folder = fileURLToPath(new URL("../../../../test/tensor/fixtures/fuzz/", import.meta.url));
const programs = readPrograms(readdirSync(folder).map((name) => join(folder, name)));

/** Ops that give numbers and no tensors, so that there is nothing to map. */
const readers = ["item", "toArray", "toTyped", "size"];
/** Ops whose shapes depend on values, or that read values on the processor; vmap refuses them by name. */
const refused = ["unique", "ctcLoss"];
/** Of the thousands of programs, some of each op; HALFTONE_VMAP_PROGRAMS gives another number. */
const most = Number(process.env.HALFTONE_VMAP_PROGRAMS ?? 4);

function* comparisons(program: Program): Generator<Comparison> {
  const last = tensorsIn(program.args).length - 1;
  const all = () => true;
  const some = last > 0 ? [(i: number) => i === 0, (i: number) => i === last] : [];
  for (const isMapped of [all, ...some]) {
    yield { what: "results", isMapped };
    if (!program.g) continue;
    yield { what: "vmap of grad", isMapped };
    yield { what: "grad of vmap", isMapped };
  }
}

const mappable = programs.filter(
  ({ op, args, plain }) => !plain && !readers.includes(op) && tensorsIn(args).length > 0,
);

test("vmap of every public op, and its gradients in both orders, equal a loop over the examples", () => {
  const differences: string[] = [];
  const seen = new Map<string, number>();
  for (const program of mappable) {
    const position = seen.get(program.op) ?? 0;
    seen.set(program.op, position + 1);
    if (position >= most) continue;
    for (const comparison of comparisons(program)) {
      const found = difference(program, comparison);
      if (refused.includes(program.op)) assert.match(found ?? "", new RegExp(`no batching rule for ${program.op}`));
      else if (found) differences.push(`${program.place}, ${program.op}, ${comparison.what}: ${found}`);
    }
  }
  assert.deepEqual(differences, []);
});

test("the same on WebAssembly", { skip: runtimeInfo().backend === "wasm" }, () => {
  const env = { ...process.env, HALFTONE_BACKEND: "wasm", NODE_TEST_CONTEXT: undefined };
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], { env, encoding: "utf8" });
  assert.equal(status, 0, stdout);
});
