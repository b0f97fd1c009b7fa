import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, test } from "node:test";
import { memoryOfProcess } from "../../src/memory/gpu.ts";
import { gpus } from "../../src/memory/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const bin = temporaryFolder();
const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});

/** Puts a program in nvidia-smi's place that answers as the real one does (its manual, --query-gpu, --format=csv). */
function driver(cards: string, processes = ""): void {
  const script = `#!/bin/sh
[ "$2" = "--format=csv,noheader,nounits" ] || exit 2
case "$1" in
  --query-gpu=name,memory.used,memory.total,utilization.gpu,power.draw,temperature.gpu,clocks.sm) echo "${cards}";;
  --query-compute-apps=pid,used_memory) echo "${processes}";;
  *) exit 6;;
esac
`;
  const file = path.join(bin, "nvidia-smi");
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  process.env.PATH = `${bin}:${PATH}`;
}

describe("the driver's values", { skip: process.platform === "win32" }, () => {
  test("are given in bytes, shares and watts", () => {
    driver("NVIDIA H100 80GB HBM3, 1024, 81559, 37, 312.50, 41, 1980\nTesla T4, 3, 15360, 0, 9.10, 30, 300");
    const [first, second] = gpus();
    assert.deepEqual(first, {
      name: "NVIDIA H100 80GB HBM3",
      memoryUsed: 2 ** 30,
      memoryTotal: 81559 * 2 ** 20,
      utilization: 0.37,
      power: 312.5,
      temperature: 41,
      clock: 1980,
    });
    assert.equal(second!.name, "Tesla T4");
  });

  test("are absent where a card does not report them", () => {
    driver("NVIDIA GeForce MX150, 12, 2002, [N/A], [Not Supported], 50, 300");
    assert.deepEqual(Object.keys(gpus()[0]!), ["name", "memoryUsed", "memoryTotal", "temperature", "clock"]);
  });

  test("include a process's memory on all cards, or the first card's where the process is unknown", () => {
    driver("Tesla T4, 700, 15360, 0, 9.10, 30, 300", "41, 100\n42, 200\n42, 56");
    assert.equal(memoryOfProcess(42), 2 ** 28);
    assert.equal(memoryOfProcess(43), 700 * 2 ** 20);
    driver("Tesla T4, 700, 15360, 0, 9.10, 30, 300", "42, [N/A]");
    assert.equal(memoryOfProcess(42), 700 * 2 ** 20);
  });

  test("are empty without a driver, or where it fails", () => {
    process.env.PATH = bin;
    rmSync(path.join(bin, "nvidia-smi"));
    assert.deepEqual([gpus(), memoryOfProcess(1)], [[], undefined]);
    writeFileSync(path.join(bin, "nvidia-smi"), "#!/bin/sh\necho Failed to initialize NVML, sorry\nexit 9\n");
    chmodSync(path.join(bin, "nvidia-smi"), 0o755);
    assert.deepEqual(gpus(), []);
  });
});
