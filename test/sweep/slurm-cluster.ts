import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { cacheFolder } from "../../src/runtime/setup/cache.ts";

/** Debian's slurmctld and slurmd, unpacked by slurm.sh. */
const packages = path.join(cacheFolder(), "slurm-test");
const library = path.join(packages, "usr/lib/x86_64-linux-gnu");

/** Why a cluster cannot be started here; false if it can. */
export const noCluster = !existsSync(path.join(packages, "done"))
  ? "Slurm is not in the cache: run test/sweep/slurm.sh"
  : process.getuid?.() !== 0
    ? "a network namespace needs root"
    : false;

/** glibc resolves no name where every address is 127.0.0.1, so the namespace has one more. */
const ADDRESS = "10.77.0.1";

/** A Slurm cluster of two nodes on this machine, in a network namespace of its own that has loopback alone. */
export class SlurmCluster implements AsyncDisposable {
  /** Starts a command inside of the cluster's network. */
  readonly through: string[];
  readonly env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #namespace: ChildProcess;
  readonly #daemons = new Map<string, ChildProcess>();

  private constructor(folder: string, namespace: ChildProcess) {
    this.#folder = folder;
    this.#namespace = namespace;
    this.through = ["nsenter", "--net", "--target", String(namespace.pid)];
    this.env = {
      ...process.env,
      SLURM_CONF: path.join(folder, "slurm.conf"),
      LD_LIBRARY_PATH: `${library}:${library}/slurm-wlm`,
      PATH: `${packages}/usr/bin:${process.env.PATH}`,
    };
  }

  /** Starts the cluster with its files in `folder`, and waits until both nodes are idle. */
  static async start(folder: string): Promise<SlurmCluster> {
    mkdirSync(folder, { recursive: true });
    const setUp = `ip link set lo up && ip addr add ${ADDRESS}/32 dev lo && echo ready && exec sleep infinity`;
    const namespace = spawn("unshare", ["--net", "sh", "-c", setUp], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => namespace.stdout!.once("data", resolve));
    const cluster = new SlurmCluster(folder, namespace);
    writeFileSync(cluster.env.SLURM_CONF!, configuration(folder));
    cluster.#daemon("controller", "slurmctld-wlm", ["-D", "-i"]);
    for (const node of ["n1", "n2"]) cluster.startNode(node);
    while (!/^2 idle/m.test(cluster.run("sinfo", "--noheader", "--format=%D %t"))) await after(200);
    return cluster;
  }

  startNode(node: string): void {
    mkdirSync(path.join(this.#folder, `spool-${node}`), { recursive: true });
    this.#daemon(node, "slurmd-wlm", ["-D", "-N", node, "-d", `${packages}/usr/sbin/slurmstepd-wlm`]);
  }

  /** Ends a node at once, with all that runs there: its slurmd, and each job with the slurmstepd above it. */
  killNode(node: string): void {
    const pids = [this.#daemons.get(node)!.pid!];
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      if (!read(`/proc/${pid}/environ`).includes(`\0SLURMD_NODENAME=${node}\0`)) continue;
      if (!read(`/proc/${pid}/environ`).includes(`\0SLURM_CONF=${this.env.SLURM_CONF}\0`)) continue;
      const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
      if (read(`/proc/${parent}/comm`).startsWith("slurmstepd")) pids.push(Number(parent));
      pids.push(Number(pid));
    }
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }

  run(command: string, ...args: string[]): string {
    const [enter, ...rest] = this.through;
    try {
      return execFileSync(enter!, [...rest, command, ...args], {
        env: this.env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch {
      return "";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of ["n1", "n2"]) this.killNode(node);
    const controller = this.#daemons.get("controller")!;
    const ended = new Promise((resolve) => controller.once("exit", resolve));
    controller.kill("SIGKILL");
    this.#namespace.kill("SIGKILL");
    await ended;
  }

  #daemon(name: string, program: string, args: string[]): void {
    const [enter, ...rest] = this.through;
    const child = spawn(enter!, [...rest, `${packages}/usr/sbin/${program}`, ...args], {
      env: this.env,
      stdio: "ignore",
    });
    this.#daemons.set(name, child);
  }
}

function configuration(folder: string): string {
  const host = hostname();
  return `ClusterName=test
SlurmctldHost=${host}(${ADDRESS})
SlurmUser=root
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
PluginDir=${library}/slurm-wlm
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
MpiDefault=none
TaskPlugin=task/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdTimeout=6
MessageTimeout=3
KillWait=3
MailProg=/bin/true
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName=n1 NodeAddr=${ADDRESS} NodeHostname=${host} Port=6821 CPUs=1
NodeName=n2 NodeAddr=${ADDRESS} NodeHostname=${host} Port=6822 CPUs=1
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
`;
}

/** A file of /proc; empty when its process has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
