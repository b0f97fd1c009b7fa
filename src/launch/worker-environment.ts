import { environmentFor, thisMachine } from "../notebook/jobs.ts";
import { clusterEnvironment } from "../runtime/native/cluster/cluster.ts";
import { hostOf, ipOf, type Placement } from "./hosts.ts";
import { listenOnly } from "./listen-address.ts";

/** The environment of one of this machine's workers: the cluster, its share of the cores, and the address on which it listens. */
export async function workerEnvironment(
  { addresses, own }: Placement,
  rank: number,
  timeout: number,
): Promise<NodeJS.ProcessEnv> {
  const address = addresses[rank]!;
  const ip = await ipOf(hostOf(address));
  const listening = ip && addresses.length > 1 ? await listenOnly(address.replace(hostOf(address), ip)) : {};
  return {
    ...environmentFor(own.length, thisMachine()),
    ...clusterEnvironment({ rank, addresses, timeout }),
    ...listening,
  };
}
