import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../src/data/random.ts";
import { runtimeInfo } from "../../src/runtime/index.ts";
import { openNotebook } from "./fixture.ts";
import { trapCode } from "./trap.ts";

/** Functions that pass the trap. */
const setUp = `${trapCode}
import {
  det, generator, grad, hessian, hvp, jacobian, jvp, matmul, mul, perExampleGrad, rand, sum, tanh, tensor, toArray, vjp, vmap,
} from "halftone";

const x = tensor([[1, 2, 3], [4, 5, 7]], { dtype: "float32" }) as any;
const w = tensor([[1, 0.5], [0.25, 2], [1, 1]]) as any;
const layer = (row: any) => tanh(trap(matmul(trap(row), mul(w, 0.125)))) as any;
const loss = (weights: any, row: any) => sum(tanh(trap(matmul(row, trap(weights))))) as any;
const cube = (row: any) => sum(trap(mul(trap(mul(row, row)), row))) as any;
const work: Record<string, () => any> = {
  vmap: () => vmap(layer)(x),
  "vmap of an axis that is not the first": () => vmap(layer, { inAxes: 1, outAxes: -1 })(tf.transpose(x)),
  "nested vmap": () => vmap((row: any) => vmap((a: any) => vmap((b: any) => trap(mul(a, trap(b))) as any)(row) as any)(row) as any)(x),
  "vmap of grad": () => vmap(grad(cube))(x),
  "grad of vmap": () => grad((rows: any) => sum(vmap(layer)(rows) as any) as any)(x),
  "vmap of a loop over the examples": () => vmap((row: any) => trap(det(trap(mul(tf.reshape(row, [1, 3]), tf.reshape(row, [3, 1])) as any) as any)) as any)(x),
  "vmap of random numbers": () => vmap((row: any) => trap(mul(row, trap(rand([3], { from: generator(3) })))) as any)(x),
  jvp: () => jvp(layer, [x], [tf.onesLike(x)] as any).tangent,
  vjp: () => vjp(layer, x).pullback(tf.ones([2, 2]) as any),
  hvp: () => hvp(cube, x, tf.onesLike(x) as any),
  jacobian: () => jacobian(layer)(x),
  hessian: () => hessian(cube)(x),
  perExampleGrad: () => perExampleGrad(loss)(w, x),
  "jvp inside of vmap": () => vmap((row: any) => jvp(layer, [row], [tf.onesLike(row)] as any).tangent as any)(x),
};
const answer = (name: string) => JSON.stringify(tf.tidy(() => [work[name]!()].flat().map((y: any) => toArray(y)) as any));
/** \`state()\`, after a read of random numbers, which fails where a level of vmap is still open. */
function checkedState() {
  tf.tidy(() => void rand([1]).dataSync());
  return state();
}
`;

for (const backend of ["tensorflow", "wasm"]) {
  const skip = backend === "tensorflow" && runtimeInfo().backend !== "tensorflow";
  test(`A Stop inside of vmap, jvp and the others leaves no tensor and no level, and the next call is right (${backend})`, {
    skip,
  }, async () => {
    const { run, session } = openNotebook({ env: { ...process.env, HALFTONE_BACKEND: backend } });
    assert.equal((await run(setUp)).error, undefined);
    const names = JSON.parse((await run("JSON.stringify(Object.keys(work))")).text!.slice(1, -1)) as string[];
    const answers = new Map<string, string | undefined>();
    for (const name of names) {
      const { text, error } = await run(`answer(${JSON.stringify(name)})`);
      assert.equal(error, undefined, name);
      answers.set(name, text);
    }
    const stopped = async (name: string, passes: number, spins: boolean) => {
      const code = `passes = ${passes}; spins = ${spins}; for (;;) tf.dispose(work[${JSON.stringify(name)}]!())`;
      const ran = await run(code, {
        onOutput: (output) => output.type === "stream" && output.name === "stdout" && session.interrupt(),
      });
      assert.equal(ran.stdout, "now\n", `${name}\n${ran.error?.traceback.join("\n")}`);
      assert.equal(ran.error?.ename, "KeyboardInterrupt", ran.error?.traceback.join("\n"));
    };
    for (const name of names) await stopped(name, 2, false);
    // V8 may hold on to what a stopped cell made for some cells more.
    for (let more = 0; more < 5; more++) await run("await null; void checkedState()");
    const before = (await run("checkedState()")).text;
    const draw = random(11);
    for (const name of names)
      for (let stop = 0; stop < 4; stop++) {
        const [passes, spins] = [draw.integer(1, 9), stop === 3];
        await stopped(name, passes, spins);
        const moment = `${name} at pass ${passes}${spins ? ", which spins" : ""}`;
        assert.equal((await run(`answer(${JSON.stringify(name)})`)).text, answers.get(name), moment);
        let now = (await run("checkedState()")).text;
        for (let more = 0; more < 5 && now !== before; more++) now = (await run("await null; checkedState()")).text;
        assert.equal(now, before, moment);
      }
  });
}
