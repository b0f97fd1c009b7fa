import { createHash } from "node:crypto";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { scalar, tf, uninterrupted } from "../runtime/index.ts";
import { isCapturing } from "../runtime/native/capture/active.ts";
import { type Cluster, ownCluster } from "../runtime/native/cluster/cluster.ts";
import { nativeOp } from "../runtime/native/op.ts";
import { type Collective, sumOf } from "./collective.ts";
import { Peers } from "./peers.ts";
import { exchangeError, missingError, type WorkerError } from "./worker-error.ts";

/** Exchanges of the same kind that may be under way at once: a worker is at most one ahead of another. */
const SLOTS = 8;

/** What is common to all exchanges of this process. */
interface Exchanges {
  cluster: Cluster;
  peers: Peers;
  exchanges: number;
  /** How often each kind has taken place. */
  counts: Map<string, number>;
  /** TensorFlow's runtime takes no exchange after one that failed. */
  failure: WorkerError | undefined;
}

let state: Exchanges | undefined;

/** The number of this worker, and how many there are. */
export function place(): { rank: number; size: number } {
  const cluster = ownCluster();
  return cluster ? { rank: cluster.rank, size: cluster.addresses.length } : { rank: 0, size: 1 };
}

/**
 * The result of an exchange of all workers; there must be more than one.
 *
 * @throws WorkerError when it fails; Error inside of a captured step
 */
export function exchange(collective: Collective): Tensor {
  if (isCapturing()) {
    throw new Error(
      `${collective.label} cannot be a part of a captured step: call it outside of \`compile\`, or give \`train\` the option capture: false`,
    );
  }
  state ??= introduced(ownCluster()!);
  return meet(state, collective);
}

function meet(own: Exchanges, { op, label, attributes, inputs, last = [] }: Collective): Tensor {
  if (own.failure) throw own.failure;
  const { cluster, peers, counts } = own;
  const count = counts.get(label) ?? 0;
  counts.set(label, count + 1);
  own.exchanges++;
  const told = { exchanges: own.exchanges, label };
  // `timeout_seconds` stays 0: TensorFlow would start two threads per exchange, which sleep for that long, and when the time is over it
  // frees what the exchange still uses. `peers` ends an exchange that takes too long.
  const run = nativeOp(op, { ...attributes, communication_hint: { text: "ring" }, timeout_seconds: { float: 0 } });
  const group = [scalar(cluster.addresses.length, "int32"), scalar(1, "int32")];
  const key = scalar(instanceKey(label, count % SLOTS), "int32");
  try {
    return peers.during(told, () => uninterrupted(() => run(...inputs, ...group, key, ...last)));
  } catch (error) {
    own.failure = exchangeError(cluster, told, peers.ask(), error);
    throw own.failure;
  }
}

/** The same number in all workers, another one for each kind of exchange. TensorFlow keeps a record for each number, so it is used again. */
const instanceKey = (label: string, slot: number): number =>
  createHash("sha256").update(`${slot} ${label}`).digest().readUInt32LE() >>> 1;

/** Waits for all workers, and connects the threads that tell of them. */
function introduced(cluster: Cluster): Exchanges {
  const own: Exchanges = { cluster, peers: new Peers(cluster), exchanges: 0, counts: new Map(), failure: undefined };
  const missing = own.peers.missing();
  if (missing.length > 0) throw missingError(cluster, missing);
  const ports = new Int32Array(cluster.addresses.length);
  ports[cluster.rank] = own.peers.ownPort;
  own.peers.meet(tf.tidy(() => [...meet(own, sumOf(tf.tensor1d(ports, "int32"))).dataSync()]));
  return own;
}
