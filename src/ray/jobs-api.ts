import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import * as v from "valibot";
import { UserError } from "../base/user-error.ts";
import type { RayAddress, Token } from "./address.ts";

/** What Ray says of a job. */
export interface JobState {
  status: "PENDING" | "RUNNING" | "STOPPED" | "SUCCEEDED" | "FAILED";
  /** Why it is in this state, in Ray's words. */
  message: string;
  /** The id of the node that has the job's log; missing until the job has started. */
  node?: string;
}

export interface JobRequest {
  id: string;
  entrypoint: string;
  /** The URI that `upload` returned; the entrypoint starts in this folder. */
  workingDir: string;
  metadata: Record<string, string>;
}

/** The cluster did not answer, or not as it should for the moment: asking again later may help. */
export class RayUnreachable extends UserError {}

/** Ray refuses larger uploads with status 413. */
const MAX_UPLOAD = 100 * 2 ** 20;

/** A job that has one of these states does not change any more. */
export const hasEnded = ({ status }: JobState) => status !== "PENDING" && status !== "RUNNING";

/** How a job ended, in Ray's words, without the end of the log that Ray appends to them. */
export function reasonOf({ status, message }: JobState): string {
  const reason = message.split(/, last available logs|\n/)[0]!.trim();
  return reason === "" ? status : `${status}: ${reason}`;
}

/**
 * Ray's Jobs REST API (docs.ray.io, "Ray Jobs REST API").
 *
 * It uses node:http, because `fetch` sends Sec-Fetch-Mode, by which Ray takes it for a browser and refuses it with 405.
 */
export class RayJobs {
  readonly #address: RayAddress;
  readonly #token: Token | undefined;
  readonly #patience: number;

  /** `patience` is how long the host may be silent, in milliseconds. */
  constructor(address: RayAddress, token: Token | undefined, patience = 20_000) {
    this.#address = address;
    this.#token = token;
    this.#patience = patience;
  }

  /** The cluster's version of Ray. @throws UserError if the host does not answer, refuses the token or is not Ray */
  async version(): Promise<string> {
    const answer = await this.#send("GET", "/api/version", undefined, [404]);
    const parsed = v.safeParse(v.object({ ray_version: v.string() }), parseJson(answer));
    if (parsed.success) return parsed.output.ray_version;
    throw new UserError(
      `${this.#address.name} answers, but not as the dashboard of Ray does: give its port (8265 unless the cluster sets another).`,
      1,
    );
  }

  /** Stores a zip archive in the cluster, unless it has it, and returns its URI. */
  async upload(zip: Uint8Array): Promise<string> {
    if (zip.length > MAX_UPLOAD)
      throw new UserError(
        `The job and the files that it names take ${(zip.length / 2 ** 20).toFixed(0)} MiB compressed, and Ray takes at most 100 MiB: read large files from storage that the nodes share.`,
        1,
      );
    const name = `_ray_pkg_${createHash("md5").update(zip).digest("hex")}.zip`;
    await this.#send("PUT", `/api/packages/gcs/${name}`, zip);
    return `gcs://${name}`;
  }

  async submit({ id, entrypoint, workingDir, metadata }: JobRequest): Promise<void> {
    const runtimeEnv = { working_dir: workingDir };
    await this.#send("POST", "/api/jobs/", { submission_id: id, entrypoint, runtime_env: runtimeEnv, metadata });
  }

  /** Undefined if the cluster knows no such job, for instance because it was started anew. */
  async state(id: string): Promise<JobState | undefined> {
    const answer = await this.#send("GET", `/api/jobs/${id}`, undefined, [404]);
    if (answer === undefined) return undefined;
    const { status, message, driver_node_id: node } = v.parse(jobState, parseJson(answer));
    return { status, message: message ?? "", ...(node ? { node } : {}) };
  }

  /** Ends the job's processes. Does nothing for a job that has ended or is not known. */
  async stop(id: string): Promise<void> {
    await this.#send("POST", `/api/jobs/${id}/stop`, {}, [404]);
  }

  /** All whole lines that the job has printed; none if the log is not there yet, or lost with the machine that had it. */
  async log(id: string): Promise<string[]> {
    const answer = await this.#send("GET", `/api/jobs/${id}/logs`, undefined, [404, 500]);
    const parsed = v.safeParse(v.object({ logs: v.string() }), parseJson(answer));
    return parsed.success ? parsed.output.logs.split("\n").slice(0, -1) : [];
  }

  /**
   * What the job prints, from its first line on and while it runs, in lines. `node` is the one of its state. It does not end with the
   * job, but when `signal` aborts or the connection ends.
   * @throws RayUnreachable
   */
  async *follow(id: string, node: string, signal: AbortSignal): AsyncGenerator<string> {
    const path = `/api/v0/logs/stream?node_id=${node}&submission_id=${id}&lines=-1&interval=0.5`;
    try {
      const response = await this.#open("GET", path, { signal });
      if (response.statusCode !== 200)
        throw this.#refusal(response.statusCode!, await textOf(response), `the log of job ${id}`);
      let rest = "";
      for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        yield* lines;
      }
    } catch (error) {
      if (!signal.aborted) throw this.#unreachable(error);
    }
  }

  /** The answer's text; undefined for a status in `absent`. */
  async #send(method: string, path: string, body?: object, absent: number[] = []): Promise<string | undefined> {
    try {
      const response = await this.#open(method, path, { timeout: this.#patience }, body);
      const text = await textOf(response);
      if (absent.includes(response.statusCode!)) return undefined;
      if (response.statusCode !== 200) throw this.#refusal(response.statusCode!, text, `${method} ${path}`);
      return text;
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #open(method: string, path: string, options: RequestOptions, body?: object): Promise<IncomingMessage> {
    const content = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const headers = {
      ...(this.#token && { authorization: `Bearer ${this.#token.value}` }),
      ...(content && { "content-length": content.length }),
      ...(content && content !== body && { "content-type": "application/json" }),
    };
    const send = this.#address.url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const sent = send(new URL(path, this.#address.url), { ...options, method, headers }, resolve);
      sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })));
      sent.on("error", reject);
      sent.end(content);
    });
  }

  /** Names the host in the error of a connection. */
  #unreachable(error: unknown): UserError {
    if (error instanceof UserError) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    return new RayUnreachable(
      `${this.#address.name} does not answer (${code ?? message}): check that Ray's head node runs and that the port of its dashboard can be reached from here.`,
      1,
    );
  }

  #refusal(status: number, text: string, what: string): UserError {
    const { name } = this.#address;
    if (status === 401 && !this.#token)
      return new UserError(
        `${name} asks for a token: set RAY_AUTH_TOKEN, or write it to ~/.ray/auth_token as \`ray get-auth-token\` does.`,
        1,
      );
    if (status === 401 || status === 403)
      return new UserError(`${name} refuses the token of ${this.#token?.from ?? "this request"}.`, 1);
    const reason = text.trim().split("\n").at(-1)!.slice(0, 500);
    const message = `${name} answered ${what} with status ${status}: ${reason}`;
    return status >= 500 ? new RayUnreachable(message, 1) : new UserError(message, 1);
  }
}

const jobState = v.object({
  status: v.picklist(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]),
  message: v.nullish(v.string()),
  driver_node_id: v.nullish(v.string()),
});

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString();
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
