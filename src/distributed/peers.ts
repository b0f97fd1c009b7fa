import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { bindingFolder } from "../runtime/native/binding/addon.ts";
import type { Cluster } from "../runtime/native/cluster/cluster.ts";
import { type Answer, type Peer, type Question, TOLD_BYTES, type Told, tell } from "./peer-messages.ts";

/** Milliseconds that a thread may take to start, and another worker to answer, on a busy machine. */
const PATIENCE = 10_000;

/** The other workers, as a thread of this one sees them, which has a connection to each. All calls block. */
export class Peers {
  readonly #cluster: Cluster;
  readonly #told = new SharedArrayBuffer(TOLD_BYTES);
  readonly #counters = new Int32Array(new SharedArrayBuffer(12));
  readonly #channel = new MessageChannel();
  readonly #others: readonly Peer[];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const { rank, addresses } = cluster;
    this.#others = addresses.map((address, of) => ({ rank: of, address })).filter((other) => other.rank !== rank);
    const { port1, port2 } = this.#channel;
    const [host] = addresses[rank]!.split(":");
    const shared = { told: this.#told, counters: this.#counters, port: port2 };
    const own = { ...shared, host, rank, timeout: 1000 * cluster.timeout, folder: bindingFolder() };
    const url = new URL("./peer-thread.js", import.meta.url);
    new Worker(url, { workerData: own, transferList: [port2], execArgv: [] }).unref();
    port1.unref();
  }

  /** Runs an exchange, of which this worker tells others from now on. The thread aborts it when it takes longer than the timeout. */
  during<T>(told: Told, run: () => T): T {
    tell(this.#told, told);
    Atomics.store(this.#counters, 2, told.exchanges);
    try {
      return run();
    } finally {
      Atomics.store(this.#counters, 2, 0);
    }
  }

  /** The port of this worker's thread; -1 where it could not listen. */
  get ownPort(): number {
    Atomics.wait(this.#counters, 1, 0, PATIENCE);
    return Atomics.load(this.#counters, 1) || -1;
  }

  /** Connects this worker's thread to those that listen on these ports, by rank. */
  meet(ports: readonly number[]): void {
    const peers = this.#others.map(({ rank, address }) => ({
      rank,
      address: address.replace(/\d+$/, `${ports[rank]}`),
    }));
    this.#request({ kind: "meet", peers: peers.filter(({ rank }) => ports[rank]! > 0), milliseconds: PATIENCE });
  }

  /** Waits until every other worker listens. Gives the ranks of those that do not in time. */
  missing(): number[] {
    const answers = this.#request({ kind: "wait", peers: this.#others, milliseconds: 1000 * this.#cluster.timeout });
    return this.#others.filter((_, i) => answers[i] !== "connected").map(({ rank }) => rank);
  }

  /** What has become of the others, because an exchange has failed in this worker. */
  ask(): Map<number, Answer> {
    const answers = this.#request({ kind: "ask", peers: this.#others, milliseconds: PATIENCE });
    return new Map(this.#others.map(({ rank }, i) => [rank, answers[i] ?? "silent"]));
  }

  #request(question: Question): Answer[] {
    const before = Atomics.load(this.#counters, 0);
    this.#channel.port1.postMessage(question);
    Atomics.wait(this.#counters, 0, before, question.milliseconds + PATIENCE);
    return (receiveMessageOnPort(this.#channel.port1)?.message as Answer[] | undefined) ?? [];
  }
}
