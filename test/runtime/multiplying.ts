// As a process: multiplies by a transposed matrix until its input ends, and says whether every product was right.
import { ready, tf } from "../../src/runtime/index.ts";

await ready();
let ended = false;
process.on("SIGWINCH", () => {});
process.stdin.resume().on("end", () => {
  ended = true;
});
const x = tf.ones([256, 32]);
let wrong = 0;
const round = () => {
  for (let i = 0; i < 20; i++) {
    const sums = tf.tidy(() => tf.matMul(x, x, true, false).dataSync());
    // Of 256 ones.
    if (sums.some((sum) => sum !== 256)) wrong++;
  }
  if (!ended) setImmediate(round);
  else process.stdout.write(`${wrong} wrong\n`);
};
process.stdout.write("begun\n");
round();
