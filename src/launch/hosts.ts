import { lookup } from "node:dns/promises";
import { createServer } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { UserError } from "../base/user-error.ts";
import { readTextFile } from "../notebook/read-text.ts";

/** Where the workers are, `host:port` each in the order of ranks, and which of them this machine runs. */
export interface Placement {
  addresses: readonly string[];
  own: readonly number[];
}

/** The first port of a host whose line names none. */
const PORT = 2222;

/** Workers of this machine alone, on ports that are free now. */
export async function localPlacement(workers: number): Promise<Placement> {
  const servers = await Promise.all(
    Array.from({ length: workers }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as { port: number }).port}`);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { addresses, own: addresses.map((_, rank) => rank) };
}

/**
 * The workers of a hosts file, in its order. Each line is `HOST[:PORT] [workers=N]`; a host's workers have consecutive ports from 2222 on.
 *
 * @throws UserError for a line of another form, an address that stands in it twice, and a file without this machine
 */
export async function hostsPlacement(file: string, thisHost: string | undefined): Promise<Placement> {
  const addresses = parseHosts(readTextFile(file, { option: "--hosts", wanted: "a file of hosts" }), file);
  const own: number[] = [];
  for (const [rank, address] of addresses.entries()) {
    const host = hostOf(address);
    if (thisHost === undefined ? await isThisMachine(host) : host === thisHost) own.push(rank);
  }
  if (own.length > 0) return { addresses, own };
  const names = [...new Set(addresses.map(hostOf))].join(", ");
  throw new UserError(
    `None of the hosts in ${file} is this machine, ${thisHost ?? hostname()}: it has ${names}. Name this machine as the file does, by --host NAME.`,
  );
}

/** @throws UserError as in `hostsPlacement` */
export function parseHosts(text: string, file: string): string[] {
  const addresses: string[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const content = line.replace(/#.*/, "").trim();
    if (content === "") continue;
    const [, host, port, workers] = /^([^\s:]+)(?::(\d+))?(?:\s+workers=(\d+))?$/.exec(content) ?? [];
    const [first, count] = [Number(port ?? PORT), Number(workers ?? 1)];
    if (host === undefined || count < 1 || first < 1 || first + count > 65536)
      throw new UserError(`${file}, line ${at + 1}: expected HOST[:PORT] [workers=N], got "${content}".`);
    for (let i = 0; i < count; i++) addresses.push(`${host}:${first + i}`);
  }
  const twice = addresses.find((address, i) => addresses.indexOf(address) < i);
  if (twice) throw new UserError(`${file} has the address ${twice} twice: give each worker its own port.`);
  if (addresses.length === 0) throw new UserError(`${file} has no host: write one per line, HOST[:PORT] [workers=N].`);
  return addresses;
}

export const hostOf = (address: string): string => address.replace(/:\d+$/, "");

async function isThisMachine(host: string): Promise<boolean> {
  const own = hostname();
  if (host === own || host === own.split(".")[0]) return true;
  const found = await ipOf(host);
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === found));
}

/** The IPv4 address of a host; undefined where it has none that is known here. */
export const ipOf = async (host: string): Promise<string | undefined> =>
  (await lookup(host, { family: 4 }).catch(() => undefined))?.address;
