/** Connections of kernels that tests start. */
import { createServer } from "node:net";
import path from "node:path";
import { curveKeyPair } from "zeromq";
import type { Connection } from "../../kernel/jupyter/connection.ts";

export interface Options {
  transport?: "tcp" | "ipc";
  encrypted?: boolean;
  env?: NodeJS.ProcessEnv;
  /** In a process group of its own, as a terminal's foreground job. */
  detached?: boolean;
}

export async function makeConnection(
  folder: string,
  { transport = "tcp", encrypted }: Options = {},
): Promise<Connection> {
  const keys = encrypted ? curveKeyPair() : undefined;
  const ports = transport === "ipc" ? [1, 2, 3, 4, 5] : await freePorts(5);
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports as [number, number, number, number, number];
  return {
    transport,
    ip: transport === "ipc" ? path.join(folder, "k") : "127.0.0.1",
    shell_port,
    iopub_port,
    stdin_port,
    control_port,
    hb_port,
    key: "b3c3b8a2-secret",
    signature_scheme: "hmac-sha256",
    ...(keys && { curve_publickey: keys.publicKey, curve_secretkey: keys.secretKey }),
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer();
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
