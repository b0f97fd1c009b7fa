// Times an LSTM and a GRU, 30 steps of 32 sequences from 64 features to 128: the forward pass, and the gradients of all weights.
// bench/reference/recurrent_time.py times PyTorch's. HALFTONE_KERNELS=separate is without the fused kernels.
// Run: node dist/bench/recurrent.js
import {
  disposeTree,
  gru,
  item,
  lstm,
  randn,
  ready,
  runtimeInfo,
  square,
  sum,
  tf,
  valueAndGrad,
} from "../src/index.ts";

await ready();
const [batch, time, features, hidden] = [32, 30, 64, 128] as const;
const x = randn([batch, time, features], { from: 1 });

/** The quickest and the median of many runs. */
function milliseconds(f: () => void): string {
  const times = Array.from({ length: 45 }, () => {
    const start = performance.now();
    tf.tidy(f);
    return performance.now() - start;
  })
    .slice(5)
    .sort((a, b) => a - b);
  return `${times[0]!.toFixed(1)} ms (median ${times[20]!.toFixed(1)})`;
}

console.log(`${runtimeInfo().backend}, ${runtimeInfo().kernels} kernels`);
for (const [name, make] of Object.entries({ lstm, gru })) {
  const layer = make({ in: features, hidden, from: 1 });
  const loss = valueAndGrad((p: typeof layer.parameters) => sum(square(layer.apply(p as never, x).outputs)));
  const forward = milliseconds(() => {
    layer.apply(layer.parameters as never, x).outputs.dataSync();
  });
  const both = milliseconds(() => {
    const found = loss(layer.parameters);
    item(found.value);
    disposeTree(found);
  });
  console.log(`${name}: forward ${forward}, with gradients ${both}`);
}
