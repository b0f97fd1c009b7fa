#!/usr/bin/env bash
# For a person with an NVIDIA GPU: checks everything that nobody has run on one, and prints a table to send back. In a checkout:
#   bash bench/gpu.sh | tee gpu.txt
# It needs about 10 GB of disk and 3.4 GB of downloads from the Python registry, and takes 10 to 20 minutes.
set -uo pipefail
cd "$(dirname "$0")/.."

row() { printf '| %s | %s |\n' "$1" "$(tr '\n|' ' /' <<<"$2" | cut -c1-400)"; }
node_() { timeout 600 node --input-type=module -e "$1" 2>&1 | tail -n "${2:-1}"; }
library='import * as h from "./dist/src/index.js"; const info = await h.ready();'

echo '| what | found |'
echo '|---|---|'
row 'GPU, driver, memory' "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>&1)"
row 'system' "$(uname -srm), $(ldd --version 2>&1 | head -n 1), Node $(node --version)"
row 'commit' "$(git rev-parse --short HEAD 2>&1)"
if ! npm run build >/tmp/halftone-gpu.log 2>&1; then row 'build' "failed: $(tail -n 3 /tmp/halftone-gpu.log)"; exit 1; fi
row 'setup' "$(timeout 3600 node dist/src/cli/main.js setup 2>&1 | tail -n 2)"

folder=$(ls -td "${HALFTONE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/halftone}"/native/gpu-*/ 2>/dev/null | head -n 1)
row 'GPU library' "${folder:-missing}"
row "CUDA libraries that TensorFlow opens" "$(timeout 600 node dist/bench/cuda-libraries.js 2>&1 | tr -s ' ')"
[ -n "$folder" ] && row 'libraries not found (ldd)' "$(ldd "$folder"tensorflow/*.so.2 2>/dev/null | grep 'not found' | sort -u || true)"
row 'backend, device, reason' "$(node_ "$library console.log(info.backend, info.version, info.device, info.kernels, '-', info.reason)")"
row "TensorFlow's warnings" "$(TF_CPP_MIN_LOG_LEVEL=1 node_ "$library h.tensor([1]).dataSync()" 4)"
row 'GPU memory after loading (MB)' "$(node_ "$library import { execFileSync } from 'node:child_process'; h.tensor([1]).dataSync();
  console.log(execFileSync('nvidia-smi', ['--query-compute-apps=used_memory', '--format=csv,noheader']).toString())")"
row 'matmul 4096: ms, GFLOP/s' "$(node_ "$library const a = h.randn([4096, 4096]); const run = () => h.matmul(a, a).dataSync()[0];
  run(); const t = performance.now(); for (let i = 0; i < 5; i++) run(); const ms = (performance.now() - t) / 5;
  console.log(ms.toFixed(1), (2 * 4096 ** 3 / ms / 1e6).toFixed(0))")"
row 'gradient of sum(x^2) at 3' "$(node_ "$library console.log(h.grad((x) => h.sum(h.mul(x, x)))(h.tensor([3])).dataSync()[0])")"
for file in tensor/gradients runtime/accounting runtime/load tensor/fuzz nn/pytorch; do
  [ -f "dist/test/$file.test.js" ] || continue
  row "test/$file" "$(timeout 900 node --enable-source-maps --test "dist/test/$file.test.js" 2>&1 | grep -E '^# (pass|fail|skipped)|^not ok' | head -n 8)"
done
for notebook in notebooks/01-fixed-padding.ipynb notebooks/04-automatic-mixed-precision.ipynb; do
  started=$SECONDS
  result=$(timeout 1200 node dist/src/cli/main.js run "$notebook" -p steps=50 -o /tmp/halftone-gpu.ipynb 2>&1 | tail -n 1)
  row "$notebook" "$((SECONDS - started)) s: $result"
done
