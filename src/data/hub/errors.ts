import { unwritableCache } from "../../base/folders.ts";

/** Why the hub did not give a file. `"network"`: no answer, so a copy in the cache may serve instead. */
export type HubFailure = "network" | "notFound" | "refused" | "damaged" | "disk";

/** An error of the hub client. Its message says what was asked, what was found and what to do. */
export class HubError extends Error {
  override name = "HubError";
  readonly failure: HubFailure;

  constructor(failure: HubFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** What a request is about, for the messages. */
export interface Asked {
  /** The model, `org/name`. */
  name: string;
  revision: string;
  /** The file, where one is asked for. */
  file?: string;
  endpoint: string;
  hasToken: boolean;
}

/** The error of an answer that is not 2xx. The hub says the cause in the header X-Error-Code. */
export function refusal(status: number, code: string | null, asked: Asked): HubError {
  const { name, revision, file, endpoint, hasToken } = asked;
  const what = file === undefined ? name : `${file} of ${name}`;
  if (code === "RevisionNotFound") {
    return new HubError(
      "notFound",
      `${name} has no revision ${revision} at ${endpoint}: pass a branch, a tag or a commit that it has`,
    );
  }
  if (code === "EntryNotFound") {
    return new HubError("notFound", `${name} has no file ${file} at revision ${revision}`);
  }
  if (code === "GatedRepo") {
    const advice = hasToken ? "with the account of your token" : "and set HF_TOKEN to a token of your account";
    return new HubError(
      "refused",
      `${name} is gated (${status}): accept its conditions at ${endpoint}/${name} ${advice}`,
    );
  }
  // Without a token the hub answers 401 for a name that does not exist, so that private names do not leak.
  if (code === "RepoNotFound" || status === 404 || (status === 401 && !hasToken)) {
    const advice = hasToken ? "check that your token may read it" : "set HF_TOKEN to a token that may read it";
    return new HubError(
      "notFound",
      `${endpoint} has no model ${name}, or it is private (${status}): check the name, or ${advice}`,
    );
  }
  if (status === 401) {
    return new HubError("refused", `${endpoint} does not accept the token (401): set HF_TOKEN to a valid one`);
  }
  if (status === 403) {
    const advice = hasToken ? "use a token with read access to it" : "set HF_TOKEN to a token with read access to it";
    return new HubError("refused", `${endpoint} refuses ${what} (403): ${advice}`);
  }
  if (status === 429) {
    const advice = hasToken ? "wait a few minutes" : "wait a few minutes, or set HF_TOKEN, which raises the limit";
    return new HubError("network", `${endpoint} has had too many requests (429): ${advice}`);
  }
  return new HubError("network", `${endpoint} answered ${status} for ${what}: try again later`);
}

/** The error of a request without an answer, or with one that stopped. */
export function unreachable(error: unknown, url: string): HubError {
  const { code, message } = rootCause(error);
  const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  const advice =
    proxy && !process.env.NODE_USE_ENV_PROXY
      ? "Node uses the proxy in HTTPS_PROXY when NODE_USE_ENV_PROXY=1 is set"
      : "check the network, or set HF_ENDPOINT to a mirror";
  return new HubError("network", `cannot reach ${new URL(url).host} (${code ?? message}): ${advice}`, { cause: error });
}

/** The error of a cache that the operating system does not let us write; any other error unchanged. */
export function cacheRefusal(error: unknown, folder: string): unknown {
  const message = unwritableCache(error, folder, "HF_HOME");
  return message === undefined ? error : new HubError("disk", message, { cause: error });
}

/** `fetch` wraps the error of the socket in one or two others. */
function rootCause(error: unknown): { code?: string; message: string } {
  let inner = error as Error & { code?: string };
  while (inner.cause instanceof Error) inner = inner.cause;
  return inner;
}
