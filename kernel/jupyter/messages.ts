/**
 * The messages of the Jupyter protocol 5.5 that a kernel receives, as types and as parsers.
 * Source: jupyter_client's "Messaging in Jupyter". Missing optional fields take the defaults that page gives.
 */
import { z } from "zod";

export const PROTOCOL_VERSION = "5.5";

export type Json = Record<string, unknown>;

/** Kept whole, unknown fields too: a reply sends its request's header back as it came. */
export const headerSchema = z.looseObject({
  msg_id: z.string(),
  msg_type: z.string(),
  session: z.string().default(""),
  username: z.string().default(""),
  date: z.string().default(""),
  version: z.string().default("5.0"),
  subshell_id: z.string().nullish(),
});
export type Header = z.infer<typeof headerSchema>;

export interface Message {
  /** ZeroMQ routing frames: who asked, or an iopub topic. */
  identities: Buffer[];
  header: Header;
  /** The header of the message that this one answers; empty when it answers none. */
  parent: Header | Json;
  metadata: Json;
  content: Json;
  buffers: Buffer[];
}

const json = z.record(z.string(), z.unknown());
const codeAt = { code: z.string(), cursor_pos: z.number().int().nonnegative().optional() };

/** Content of each request that this kernel answers, by message type. */
export const requests = {
  kernel_info_request: z.object({}),
  execute_request: z.object({
    code: z.string(),
    silent: z.boolean().default(false),
    store_history: z.boolean().default(true),
    user_expressions: z
      .record(z.string(), z.string())
      .nullish()
      .transform((given) => given ?? {}),
    allow_stdin: z.boolean().default(true),
    stop_on_error: z.boolean().default(true),
  }),
  is_complete_request: z.object({ code: z.string() }),
  complete_request: z.object(codeAt),
  inspect_request: z.object({ ...codeAt, detail_level: z.union([z.literal(0), z.literal(1)]).default(0) }),
  history_request: z.object({
    hist_access_type: z.enum(["tail", "range", "search"]),
    output: z.boolean().default(false),
    raw: z.boolean().default(true),
    session: z.number().int().default(0),
    start: z.number().int().default(0),
    stop: z.number().int().nullish(),
    n: z.number().int().nonnegative().nullish(),
    pattern: z.string().default("*"),
    unique: z.boolean().default(false),
  }),
  comm_info_request: z.object({ target_name: z.string().nullish() }),
  comm_open: z.object({ comm_id: z.string(), target_name: z.string(), data: json.default({}) }),
  comm_msg: z.object({ comm_id: z.string(), data: json.default({}) }),
  comm_close: z.object({ comm_id: z.string(), data: json.default({}) }),
  connect_request: z.object({}),
  interrupt_request: z.object({}),
  shutdown_request: z.object({ restart: z.boolean().default(false) }),
  create_subshell_request: z.object({}),
  delete_subshell_request: z.object({ subshell_id: z.string() }),
  list_subshell_request: z.object({}),
  usage_request: z.object({}),
};

export type RequestType = keyof typeof requests;
export type Content<T extends RequestType> = z.output<(typeof requests)[T]>;

export function isRequestType(type: string): type is RequestType {
  return Object.hasOwn(requests, type);
}
