/** A real Ray cluster on this machine, for tests in a network namespace of their own: Ray listens on every interface. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rayAddress } from "../../../src/ray/address.ts";
import { RayJobs } from "../../../src/ray/jobs-api.ts";

export const token = "0123456789abcdef0123456789abcdef";
export const address = rayAddress("ray://127.0.0.1");

/** Waits until `condition` holds, for at most `seconds`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, seconds = 120): Promise<void> {
  for (const start = Date.now(); !(await condition()); await sleep(100))
    if (Date.now() - start > seconds * 1000) throw new Error(`After ${seconds} s still waiting until ${what}`);
}

export class RayCluster {
  readonly jobs = new RayJobs(address, { value: token, from: "the test" });
  readonly #folder: string;
  readonly #ray: string;
  readonly #env: NodeJS.ProcessEnv;
  #nodes = 0;
  #started: { name: string; start: () => ChildProcess; child: ChildProcess; tries: number }[] = [];

  /** `env` is that of the nodes, and so of what runs on them. */
  constructor(ray: string, folder: string, env: NodeJS.ProcessEnv) {
    this.#ray = ray;
    this.#folder = folder;
    // Without bytecode in the cache, each of Ray's twenty processes compiles all that it imports.
    const { PYTHONDONTWRITEBYTECODE: _, ...kept } = env;
    this.#env = {
      ...kept,
      PATH: `${path.dirname(ray)}${path.delimiter}${kept.PATH}`,
      RAY_AUTH_MODE: "token",
      RAY_AUTH_TOKEN: token,
      RAY_USAGE_STATS_ENABLED: "0",
      RAY_enable_metrics_collection: "0",
      RAY_health_check_period_ms: "1000",
      PYTHONWARNINGS: "ignore",
    };
    mkdirSync(folder, { recursive: true });
  }

  /** Starts the head node, on which no points run. */
  async startHead(): Promise<void> {
    const ports = ["--port=6379", "--dashboard-host=127.0.0.1", "--dashboard-port=8265"];
    this.#start("head", ["--head", ...ports, "--num-cpus=0", `--temp-dir=${this.#folder}`, "--no-monitor"], {});
    await this.ready(1);
  }

  /** Starts a node with one CPU, on which the points have `env` beside the cluster's. */
  startNode(env: NodeJS.ProcessEnv = {}): void {
    this.#start(`node${this.#nodes + 1}`, ["--address=127.0.0.1:6379", "--num-cpus=1"], env);
  }

  /** Waits until `count` nodes, with the head, are alive. */
  async ready(count: number): Promise<void> {
    const ready = async () => {
      this.#restartFailed();
      return (await this.#alive()) === count;
    };
    await until(`${count} nodes are there`, ready);
  }

  /** Ends a node as a failing machine does, by `kill -9` of its raylet, which starts all else there. */
  killNode(raylet: number): void {
    const own = ancestorsOf(raylet);
    this.#started = this.#started.filter(({ child }) => !own.includes(child.pid!));
    process.kill(raylet, "SIGKILL");
  }

  #logs(): string {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(".log"))
      .map((name) => `${name}:\n${readFileSync(path.join(this.#folder, name), "utf8").slice(-1500)}`)
      .join("\n");
  }

  async #alive(): Promise<number> {
    // Not `fetch`, which Ray takes for a browser.
    const options = { headers: { authorization: `Bearer ${token}` }, timeout: 20_000 };
    const text = await new Promise<string>((resolve) => {
      const sent = get(new URL("/nodes?view=summary", address.url), options, (response) => {
        response
          .setEncoding("utf8")
          .toArray()
          .then(
            (parts) => resolve(parts.join("")),
            () => resolve(""),
          );
      });
      sent.on("timeout", () => sent.destroy());
      sent.on("error", () => resolve(""));
    });
    return text.match(/"state": "ALIVE"/g)?.length ?? 0;
  }

  #start(name: string, args: string[], env: NodeJS.ProcessEnv): void {
    const file = path.join(this.#folder, `${name}.log`);
    const port = 52365 + this.#nodes++;
    const common = [
      "--node-ip-address=127.0.0.1",
      "--disable-usage-stats",
      "--object-store-memory=80000000",
      "--block",
    ];
    const start = () => {
      const log = openSync(file, "w");
      const options = [...args, ...common, "--include-log-monitor=false", `--dashboard-agent-listen-port=${port}`];
      const child = spawn(this.#ray, ["start", ...options], {
        env: { ...this.#env, ...env },
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      child.unref();
      return child;
    };
    this.#started.push({ name, start, child: start(), tries: 1 });
  }

  /** Starts nodes again that gave up: Ray gives a node 30 s, which a busy machine may need more than. */
  #restartFailed(): void {
    for (const each of this.#started) {
      if (each.child.exitCode === null && each.child.signalCode === null) continue;
      if (each.tries++ === 3) throw new Error(`${each.name} does not start:\n${this.#logs()}`);
      each.child = each.start();
    }
  }
}

/** The processes whose command line has all these words, by /proc: tests run in a namespace of process ids, so all are theirs. */
export function processesWith(...words: string[]): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return words.every((word) => command.includes(word));
      } catch {
        return false; // It has ended.
      }
    })
    .map(Number);
}

/** The parent of a process, and its parent, and so on. */
export function ancestorsOf(pid: number): number[] {
  try {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
    return parent === 0 ? [] : [parent, ...ancestorsOf(parent)];
  } catch {
    return [];
  }
}

/** The processes by which nodes belong to the cluster, and that start all others there. */
export const raylets = (): number[] => processesWith("/raylet/raylet");
