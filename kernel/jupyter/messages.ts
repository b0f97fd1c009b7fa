/**
 * The messages of the Jupyter protocol 5.5 that a kernel receives, as types and as parsers.
 * Source: jupyter_client's "Messaging in Jupyter". Missing optional fields take the defaults that page gives.
 */
import * as v from "valibot";

export const PROTOCOL_VERSION = "5.5";

export type Json = Record<string, unknown>;

/** A header of this kernel's own. */
export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
  subshell_id?: string | null;
}

/**
 * Kept whole, unknown, null and missing fields too: a reply sends its request's header back as it came. Only the type is needed
 * to answer.
 */
export const headerSchema = v.looseObject({ msg_type: v.string() });

export interface Message {
  /** ZeroMQ routing frames: who asked, or an iopub topic. */
  identities: Buffer[];
  header: Header | v.InferOutput<typeof headerSchema>;
  /** The header of the message that this one replies to; empty if there is none. */
  parent: Header | Json;
  metadata: Json;
  content: Json;
  buffers: Buffer[];
}

/** An optional field that is missing, null or of another type gets its default. */
const json = v.fallback(v.record(v.string(), v.unknown()), {});
const whole = v.pipe(v.number(), v.integer());
const optionalWhole = v.fallback(v.optional(whole), undefined);
const codeAt = { code: v.string(), cursor_pos: optionalWhole };
const flag = (otherwise: boolean) =>
  v.fallback(
    v.pipe(
      v.union([v.boolean(), v.number()]),
      v.transform((value) => Boolean(value)),
    ),
    otherwise,
  );
const text = (otherwise: string) => v.fallback(v.string(), otherwise);

/** Content of each request that this kernel answers, by message type. */
export const requests = {
  kernel_info_request: v.object({}),
  execute_request: v.object({
    code: v.string(),
    silent: flag(false),
    store_history: flag(true),
    user_expressions: json,
    allow_stdin: flag(true),
    stop_on_error: flag(true),
  }),
  is_complete_request: v.object({ code: v.string() }),
  complete_request: v.object(codeAt),
  inspect_request: v.object({ ...codeAt, detail_level: flag(false) }),
  history_request: v.object({
    /** Another one finds nothing. */
    hist_access_type: text(""),
    output: flag(false),
    raw: flag(true),
    session: v.fallback(whole, 0),
    start: v.fallback(whole, 0),
    stop: optionalWhole,
    n: optionalWhole,
    pattern: text("*"),
    unique: flag(false),
  }),
  comm_info_request: v.object({ target_name: v.fallback(v.optional(v.string()), undefined) }),
  comm_open: v.object({ comm_id: v.string(), target_name: text(""), data: json }),
  comm_msg: v.object({ comm_id: v.string(), data: json }),
  comm_close: v.object({ comm_id: v.string(), data: json }),
  connect_request: v.object({}),
  interrupt_request: v.object({}),
  shutdown_request: v.object({ restart: flag(false) }),
  create_subshell_request: v.object({}),
  delete_subshell_request: v.object({ subshell_id: v.string() }),
  list_subshell_request: v.object({}),
  usage_request: v.object({}),
  /** A request of the Debug Adapter Protocol; kernel/debug reads it. */
  debug_request: json,
};

export type RequestType = keyof typeof requests;
export type Content<T extends RequestType> = v.InferOutput<(typeof requests)[T]>;

export function isRequestType(type: string): type is RequestType {
  return Object.hasOwn(requests, type);
}
