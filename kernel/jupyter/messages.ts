/**
 * The messages of the Jupyter protocol 5.5 that a kernel receives, as types and as parsers.
 * Source: jupyter_client's "Messaging in Jupyter". Missing optional fields take the defaults that page gives.
 */
import * as v from "valibot";

export const PROTOCOL_VERSION = "5.5";

export type Json = Record<string, unknown>;

/** Kept whole, unknown fields too: a reply sends its request's header back as it came. */
export const headerSchema = v.looseObject({
  msg_id: v.string(),
  msg_type: v.string(),
  session: v.optional(v.string(), ""),
  username: v.optional(v.string(), ""),
  date: v.optional(v.string(), ""),
  version: v.optional(v.string(), "5.0"),
  subshell_id: v.nullish(v.string()),
});
export type Header = v.InferOutput<typeof headerSchema>;

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

const json = v.record(v.string(), v.unknown());
const whole = v.pipe(v.number(), v.integer());
const codeAt = { code: v.string(), cursor_pos: v.optional(v.pipe(whole, v.minValue(0))) };

/** Content of each request that this kernel answers, by message type. */
export const requests = {
  kernel_info_request: v.object({}),
  execute_request: v.object({
    code: v.string(),
    silent: v.optional(v.boolean(), false),
    store_history: v.optional(v.boolean(), true),
    user_expressions: v.nullish(v.record(v.string(), v.string()), {}),
    allow_stdin: v.optional(v.boolean(), true),
    stop_on_error: v.optional(v.boolean(), true),
  }),
  is_complete_request: v.object({ code: v.string() }),
  complete_request: v.object(codeAt),
  inspect_request: v.object({ ...codeAt, detail_level: v.optional(v.picklist([0, 1]), 0) }),
  history_request: v.object({
    hist_access_type: v.picklist(["tail", "range", "search"]),
    output: v.optional(v.boolean(), false),
    raw: v.optional(v.boolean(), true),
    session: v.optional(whole, 0),
    start: v.optional(whole, 0),
    stop: v.nullish(whole),
    n: v.nullish(v.pipe(whole, v.minValue(0))),
    pattern: v.optional(v.string(), "*"),
    unique: v.optional(v.boolean(), false),
  }),
  comm_info_request: v.object({ target_name: v.nullish(v.string()) }),
  comm_open: v.object({ comm_id: v.string(), target_name: v.string(), data: v.optional(json, {}) }),
  comm_msg: v.object({ comm_id: v.string(), data: v.optional(json, {}) }),
  comm_close: v.object({ comm_id: v.string(), data: v.optional(json, {}) }),
  connect_request: v.object({}),
  interrupt_request: v.object({}),
  shutdown_request: v.object({ restart: v.optional(v.boolean(), false) }),
  create_subshell_request: v.object({}),
  delete_subshell_request: v.object({ subshell_id: v.string() }),
  list_subshell_request: v.object({}),
  usage_request: v.object({}),
};

export type RequestType = keyof typeof requests;
export type Content<T extends RequestType> = v.InferOutput<(typeof requests)[T]>;

export function isRequestType(type: string): type is RequestType {
  return Object.hasOwn(requests, type);
}
