import { nativeBackend, runtimeInfo, type Storage, typeOf } from "../runtime/index.ts";
import { executeCast } from "../runtime/native/cast.ts";
import { ownProduct } from "../runtime/native/kernels/index.ts";

const types = ["float32", "float16", "bfloat16"] as const;

/**
 * Milliseconds of a matrix product in each type: elapsed on a GPU, summed over the processors on a CPU. Infinity where the device
 * cannot multiply in the type.
 */
export type ProductTimes = Record<(typeof types)[number], number>;

/** Rows of the left operand for each thread of a CPU, up to 16 of them, and all rows on a GPU: enough to occupy the device. */
const rows = { cpu: 512, gpu: 4096 } as const;
const [inner, columns] = [256, 1024];
const ROUNDS = { fewest: 5, most: 12 };
/** Milliseconds after which no further round begins. */
const BUDGET = 80;

const measured = new Map<string, ProductTimes>();

/** The times on the device in use, measured once in a process for each device, version of TensorFlow and choice of kernels. */
export function productTimes(): ProductTimes {
  const { version, device, gpu, threads, kernels } = runtimeInfo();
  const key = `${version} ${device} ${gpu ?? ""} ${kernels}`;
  let times = measured.get(key);
  if (!times) {
    times = device === "gpu" ? measure(rows.gpu, elapsed) : measure(rows.cpu * Math.min(16, threads), processorTime);
    measured.set(key, times);
  }
  return times;
}

const elapsed = (): number => performance.now();

/** Of all threads of the process: other load on a CPU disturbs elapsed time more. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * The fastest of a few turns in each type, because other load can only make a product slower. The ops pass by all interceptors,
 * so that the result is the same within `autocast`, a probe or a gradient.
 */
function measure(height: number, now: () => number): ProductTimes {
  const { binding } = nativeBackend();
  const operands = new Map(
    types.map((type) => [type, [ones(height, inner, type), ones(inner, columns, type)] as const]),
  );
  const small = ones(1, 1, "float32");
  // On a GPU, reading any result waits for the products before it.
  const wait = () => binding.tensorDataSync(small);
  const times: ProductTimes = { float32: Infinity, float16: Infinity, bfloat16: Infinity };
  const timed = (type: keyof ProductTimes) => {
    wait();
    const began = now();
    binding.deleteTensor(product(operands.get(type)!, height, type));
    wait();
    return now() - began;
  };
  try {
    // The first run prepares TensorFlow's kernel.
    const supported = types.filter((type) => succeeds(() => timed(type)));
    const began = performance.now();
    const isOver = (round: number) => round >= ROUNDS.fewest && performance.now() - began > BUDGET;
    for (let round = 0; round < ROUNDS.most && !isOver(round); round++)
      for (const type of supported) times[type] = Math.min(times[type], timed(type));
  } finally {
    for (const id of [small, ...[...operands.values()].flat()]) binding.deleteTensor(id);
  }
  return times;
}

function succeeds(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

function ones(height: number, width: number, type: Storage): number {
  const { binding } = nativeBackend();
  const id = binding.createTensor([height, width], typeOf.float32, new Float32Array(height * width).fill(1));
  if (type === "float32") return id;
  try {
    return executeCast(id, typeOf.float32, typeOf[type]).id;
  } finally {
    binding.deleteTensor(id);
  }
}

function product([a, b]: readonly [number, number], height: number, type: Storage): number {
  const { binding } = nativeBackend();
  const attrs = [
    { name: "T", type: binding.TF_ATTR_TYPE, value: typeOf[type] },
    { name: "transpose_a", type: binding.TF_ATTR_BOOL, value: false },
    { name: "transpose_b", type: binding.TF_ATTR_BOOL, value: false },
  ];
  const matMul = { name: "MatMul", attrs };
  const used = ownProduct(matMul, [{ shape: [height, inner] }, { shape: [inner, columns] }]) ?? matMul;
  return binding.executeOp(used.name, used.attrs, [a, b], 1)[0]!.id;
}
