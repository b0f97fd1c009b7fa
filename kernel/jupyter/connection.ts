import { readFileSync } from "node:fs";
import { z } from "zod";

const port = z.number().int().min(0).max(65535);

/** What a front end writes into the connection file ("Connection files" in jupyter_client's kernels page). */
const connectionSchema = z.object({
  transport: z.enum(["tcp", "ipc"]).default("tcp"),
  ip: z.string().default("127.0.0.1"),
  shell_port: port,
  iopub_port: port,
  stdin_port: port,
  control_port: port,
  hb_port: port,
  key: z.string().default(""),
  signature_scheme: z.string().default("hmac-sha256"),
  /** CurveZMQ key pair of the server, Z85; encrypts every channel. */
  curve_publickey: z.string().length(40).optional(),
  curve_secretkey: z.string().length(40).optional(),
});
export type Connection = z.infer<typeof connectionSchema>;
export type ChannelName = "shell" | "iopub" | "stdin" | "control" | "hb";

/** Said to the person who started the kernel by hand, or to the front end's log. */
export class ConnectionProblem extends Error {
  override name = "ConnectionProblem";
}

/** Throws with the file's name and what to do when it is missing, unreadable or no connection file. */
export function readConnectionFile(file: string): Connection {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConnectionProblem(
      `cannot read the connection file ${file}: ${reason}. A front end such as Jupyter writes it.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConnectionProblem(
      `the connection file ${file} is not JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
  const parsed = connectionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConnectionProblem(`the connection file ${file} is not valid:\n${z.prettifyError(parsed.error)}`);
}

export function endpoint(connection: Connection, channel: ChannelName): string {
  const separator = connection.transport === "tcp" ? ":" : "-";
  return `${connection.transport}://${connection.ip}${separator}${connection[`${channel}_port`]}`;
}
