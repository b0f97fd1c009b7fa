import { setTimeout as delay } from "node:timers/promises";
import { type Asked, HubError, refusal, unreachable } from "./errors.ts";

/** The hub that is asked, and on whose behalf. */
export interface Hub {
  /** Without a slash at its end. */
  endpoint: string;
  token: string | undefined;
  signal: AbortSignal | undefined;
}

/** Milliseconds without a byte after which a request counts as cut. */
function patience(): number {
  return 1000 * (Number(process.env.HF_HUB_DOWNLOAD_TIMEOUT) || 10);
}

/** Tries without progress before an error, and the milliseconds before the second; each later wait is twice as long. */
const TRIES = 5;
const FIRST_WAIT = 100;

/** `Hub` from the environment: HF_ENDPOINT and HF_TOKEN, where the caller does not say them. */
export function hubOf(options: { endpoint?: string; token?: string; signal?: AbortSignal }): Hub {
  const endpoint = (options.endpoint || process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  if (!URL.canParse(endpoint)) {
    throw new RangeError(`the hub's endpoint must be an address such as https://host, got ${JSON.stringify(endpoint)}`);
  }
  return { endpoint, token: options.token || process.env.HF_TOKEN || undefined, signal: options.signal };
}

/**
 * Runs `attempt` until it succeeds. An error of the network is tried again, after a growing wait, until there were five tries
 * without progress: `attempt` calls `progressed` when it got something new.
 */
export async function withRetries<Result>(
  hub: Hub,
  attempt: (progressed: () => void) => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(() => {
        tries = 1;
      });
    } catch (error) {
      if (!(error instanceof HubError) || error.failure !== "network" || tries >= TRIES) throw error;
      await delay(FIRST_WAIT * 2 ** (tries - 1), undefined, { signal: hub.signal });
    }
  }
}

/**
 * One GET or POST with the token. The token does not follow a redirect to another host. `read` gets the answer and calls `alive`
 * for each part that it has received; a request of which nothing arrives for 10 seconds (HF_HUB_DOWNLOAD_TIMEOUT) ends.
 *
 * @throws HubError
 */
export async function request<Result>(
  hub: Hub,
  asked: Pick<Asked, "name" | "revision" | "file">,
  url: string,
  init: RequestInit,
  read: (response: Response, alive: () => void) => Promise<Result>,
): Promise<Result> {
  const stall = new AbortController();
  const stalled = () => stall.abort(new Error(`no answer for ${patience() / 1000} s`));
  const timer = setTimeout(stalled, patience());
  const headers = new Headers(init.headers);
  if (hub.token) headers.set("authorization", `Bearer ${hub.token}`);
  const signal = hub.signal ? AbortSignal.any([hub.signal, stall.signal]) : stall.signal;
  try {
    const response = await fetch(url, { ...init, headers, signal });
    timer.refresh();
    if (!response.ok && response.status !== 416) {
      await response.body?.cancel();
      const { endpoint, token } = hub;
      const about = { ...asked, endpoint, hasToken: token !== undefined };
      throw refusal(response.status, response.headers.get("x-error-code"), about);
    }
    return await read(response, () => timer.refresh());
  } catch (error) {
    hub.signal?.throwIfAborted();
    if (isNetworkError(error, stall.signal)) throw unreachable(stall.signal.reason ?? error, url);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` rejects with a TypeError, and so does reading a body that was cut. */
function isNetworkError(error: unknown, stall: AbortSignal): boolean {
  return stall.aborted || (error instanceof TypeError && /fetch failed|terminated/.test(error.message));
}

/** A `fetch` for @huggingface/hub, whose answers are read whole. */
export function fetchFor(hub: Hub, asked: Pick<Asked, "name" | "revision">): typeof fetch {
  return (input, init = {}) =>
    withRetries(hub, () =>
      request(hub, asked, String(input), init, async (response) => {
        const { status, headers } = response;
        return new Response(await response.arrayBuffer(), { status, headers });
      }),
    );
}
