// A thread of a worker with a connection to that of every other worker. It answers them while the worker's own thread computes or waits
// in an exchange, and ends that wait when another worker has ended or the timeout is over.
import net from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { type MessagePort, workerData } from "node:worker_threads";
import { bindingOf } from "../runtime/native/binding/addon.ts";
import { type Answer, type Peer, type Question, type Told, toldFrom } from "./peer-messages.ts";

const { told, counters, port, host, rank, timeout, folder } = workerData as {
  /** What this worker tells. */
  told: SharedArrayBuffer;
  /** 0: counts answers to the worker's own thread; 1: the port that this thread listens on, -1 for none; 2: the exchange under way, 0 for none. */
  counters: Int32Array;
  port: MessagePort;
  host: string;
  rank: number;
  /** Milliseconds that an exchange may take. */
  timeout: number;
  folder: string;
};

const BETWEEN_TRIES = 100;
const BETWEEN_CHECKS = 1000;
/** An exchange that the end of a worker does not disturb, because it was its last one, has ended after this time. */
const BEFORE_ABORT = 1000;

const binding = bindingOf(folder);
const sockets = new Map<number, net.Socket>();
const ends = new Map<number, "ended" | "failed">();
const waiting = new Map<number, (answer: Answer) => void>();

/** What the other thread says: its rank first, then questions, answers, and that an exchange failed there. */
type Line = { rank: number } | { ask: true } | { told: Told } | { failed: true };

function open(socket: net.Socket, known?: number): void {
  let other = known;
  if (other !== undefined) sockets.set(other, socket);
  socket.on("error", () => {});
  socket.on("close", () => {
    if (other !== undefined) end(other, "ended");
  });
  createInterface(socket).on("line", (text) => {
    const line = parsed(text);
    if (line === undefined) return void socket.destroy();
    if ("rank" in line) {
      other = line.rank;
      sockets.set(other, socket);
    } else if (other === undefined) socket.destroy();
    else if ("ask" in line) send(socket, { told: toldFrom(told) });
    else if ("told" in line) waiting.get(other)?.(line.told);
    else end(other, "failed");
  });
}

function end(other: number, how: "ended" | "failed"): void {
  if (ends.has(other)) return;
  ends.set(other, how);
  waiting.get(other)?.(how);
  const reason = how === "ended" ? `worker ${other} has ended` : `an exchange failed in worker ${other}`;
  setTimeout(abort, BEFORE_ABORT, reason);
}

const send = (socket: net.Socket, line: Line) => socket.write(`${JSON.stringify(line)}\n`);

/** What another program sends to this port is ignored. */
function parsed(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === "object" && line !== null ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

function abort(reason: string): void {
  if ("addon" in binding) binding.addon.abortCollectives(reason);
}

/** Aborts the exchange that takes longer than the timeout. */
async function watchTime(): Promise<void> {
  let [seen, since] = [0, 0];
  for (;;) {
    await after(Math.min(BETWEEN_CHECKS, timeout / 4));
    const exchange = Atomics.load(counters, 2);
    if (exchange === 0 || exchange !== seen) [seen, since] = [exchange, performance.now()];
    else if (performance.now() - since > timeout) return abort(`it took longer than ${timeout / 1000} s`);
  }
}

const placeOf = ({ address }: Peer) => {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
};

async function accepts(peer: Peer, milliseconds: number): Promise<Answer> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const found = await probe(peer, Math.max(1, deadline - performance.now()));
    if (found !== "refused" || performance.now() > deadline) return found;
    await after(BETWEEN_TRIES);
  }
}

/** Whether a worker accepts connections now. */
async function probe(peer: Peer, milliseconds: number): Promise<"connected" | "refused" | "silent"> {
  const found = await connected(peer, milliseconds);
  if (typeof found === "string") return found;
  found.destroy();
  return "connected";
}

function connected(peer: Peer, milliseconds: number): Promise<net.Socket | "refused" | "silent"> {
  return new Promise((resolve) => {
    const socket = net.connect(placeOf(peer));
    const timer = setTimeout(() => {
      socket.destroy();
      resolve("silent");
    }, milliseconds);
    socket.once("error", () => {
      clearTimeout(timer);
      resolve("refused");
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

let isMet = false;

/** Until the threads are connected, a worker that ends is found by its server, which no longer accepts connections. */
async function watch(peers: readonly Peer[]): Promise<void> {
  while (!isMet) {
    await after(BETWEEN_CHECKS);
    for (const peer of peers) {
      const found = await probe(peer, BETWEEN_CHECKS);
      if (found === "refused" && !isMet) return end(peer.rank, "ended");
    }
  }
}

/** Each pair of workers has one connection, which the one of the higher rank makes. */
async function meet(peer: Peer, milliseconds: number): Promise<Answer> {
  if (peer.rank > rank) return "connected";
  const found = await connected(peer, milliseconds);
  if (typeof found === "string") return found;
  open(found, peer.rank);
  send(found, { rank });
  return "connected";
}

async function ask(peer: Peer, milliseconds: number): Promise<Answer> {
  const known = ends.get(peer.rank);
  if (known) return known;
  const socket = sockets.get(peer.rank);
  if (!socket) return probe(peer, milliseconds);
  const answer = new Promise<Answer>((resolve) => {
    waiting.set(peer.rank, resolve);
  });
  send(socket, { ask: true });
  const found = await Promise.race([answer, after(milliseconds, "silent" as const)]);
  return ends.get(peer.rank) ?? found;
}

const server = net.createServer((socket) => open(socket));
const listensOn = (own: number) => {
  Atomics.store(counters, 1, own);
  Atomics.notify(counters, 1);
};
server.on("error", () => listensOn(-1));
server.listen(0, host, () => listensOn((server.address() as net.AddressInfo).port));

void watchTime();

const actions = { wait: accepts, meet, ask };
port.on("message", async ({ kind, peers, milliseconds }: Question) => {
  if (kind === "meet") isMet = true;
  const answers = await Promise.all(peers.map((peer) => actions[kind](peer, milliseconds)));
  if (kind === "wait" && answers.every((answer) => answer === "connected")) void watch(peers);
  if (kind === "ask") for (const socket of sockets.values()) send(socket, { failed: true });
  port.postMessage(answers);
  Atomics.add(counters, 0, 1);
  Atomics.notify(counters, 0);
});
