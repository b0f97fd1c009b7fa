import { readFileSync } from "node:fs";
import * as v from "valibot";
import { UserError } from "../../src/base/user-error.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535));
const z85 = v.optional(v.pipe(v.string(), v.length(40)));

/** What a front end writes into the connection file ("Connection files" in jupyter_client's kernels page). */
const connectionSchema = v.object({
  transport: v.optional(v.picklist(["tcp", "ipc"]), "tcp"),
  ip: v.optional(v.string(), "127.0.0.1"),
  shell_port: port,
  iopub_port: port,
  stdin_port: port,
  control_port: port,
  hb_port: port,
  key: v.optional(v.string(), ""),
  signature_scheme: v.optional(v.string(), "hmac-sha256"),
  /** CurveZMQ key pair of the server, Z85; encrypts every channel. */
  curve_publickey: z85,
  curve_secretkey: z85,
});
export type Connection = v.InferOutput<typeof connectionSchema>;
export type ChannelName = "shell" | "iopub" | "stdin" | "control" | "hb";

/** Throws with the file's name and what to do when it is missing, unreadable or no connection file. */
export function readConnectionFile(file: string): Connection {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const reason = UNREADABLE[code] ?? (error instanceof Error ? error.message : String(error));
    throw new UserError(
      `Cannot read the connection file ${file}: ${reason}. A front end such as Jupyter writes this file.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`The connection file ${file} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const parsed = v.safeParse(connectionSchema, value);
  if (parsed.success) return parsed.output;
  throw new UserError(`The connection file ${file} is not valid: ${parsed.issues.map(fault).join(", ")}.`);
}

const UNREADABLE: Record<string, string> = {
  ENOENT: "the file does not exist",
  ENOTDIR: "a part of this path is a file, not a folder",
  EISDIR: "it is a folder",
  EACCES: "permission denied",
  ENAMETOOLONG: "the file name is too long",
};

function fault({ path, received, message }: v.BaseIssue<unknown>): string {
  const field = path?.map(({ key }) => String(key)).join(".");
  if (field === undefined) return `it holds ${received}, not an object`;
  return received === "undefined" ? `${field} is missing` : `${field} has a wrong value (${message})`;
}

export function endpoint(connection: Connection, channel: ChannelName): string {
  const separator = connection.transport === "tcp" ? ":" : "-";
  return `${connection.transport}://${connection.ip}${separator}${connection[`${channel}_port`]}`;
}
