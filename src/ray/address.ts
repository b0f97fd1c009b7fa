import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { UserError } from "../base/user-error.ts";

/** The port of Ray's dashboard, which serves the Jobs API. */
const DASHBOARD_PORT = 8265;

/** Where a Ray cluster's Jobs API answers. */
export interface RayAddress {
  /** As the user gave it, with the port: `ray://head:8265`. */
  name: string;
  /** `http://head:8265` */
  url: URL;
}

/**
 * The address in `--on ray://HOST[:PORT]`, or `ray+https://HOST[:PORT]` for a dashboard behind a proxy with TLS.
 * @throws UserError if it is not one
 */
export function rayAddress(text: string): RayAddress {
  const match = /^ray(\+https)?:\/\/([^/?#]+)\/?$/.exec(text);
  const [, tls = "", host = ""] = match ?? [];
  const written = `${tls ? "https" : "http"}://${host}`;
  if (!match || host.includes("@") || !URL.canParse(written))
    throw new UserError(
      `--on ${text}: expected ray://HOST, ray://HOST:PORT or ray+https://HOST, where PORT is that of Ray's dashboard (default ${DASHBOARD_PORT}).`,
    );
  const url = new URL(written);
  if (!tls && !/:\d+$/.test(host)) url.port = String(DASHBOARD_PORT);
  return { name: `ray${tls}://${url.host}`, url };
}

/** A token, and where it comes from, for messages. */
export interface Token {
  value: string;
  from: string;
}

/**
 * The token of a cluster with RAY_AUTH_MODE=token, from the places where Ray's own tools look for it: RAY_AUTH_TOKEN, the file that
 * RAY_AUTH_TOKEN_PATH names, ~/.ray/auth_token. Undefined if there is none.
 * @throws UserError if the file that RAY_AUTH_TOKEN_PATH names cannot be read
 */
export function rayToken(env: NodeJS.ProcessEnv = process.env): Token | undefined {
  if (env.RAY_AUTH_TOKEN) return { value: env.RAY_AUTH_TOKEN.trim(), from: "RAY_AUTH_TOKEN" };
  const named = env.RAY_AUTH_TOKEN_PATH;
  const file = named || path.join(env.HOME || homedir(), ".ray", "auth_token");
  try {
    const value = readFileSync(file, "utf8").trim();
    return value === "" ? undefined : { value, from: file };
  } catch (error) {
    if (!named) return undefined;
    throw new UserError(`RAY_AUTH_TOKEN_PATH names ${named}, which cannot be read: ${(error as Error).message}`);
  }
}
