import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A file of the server's model. */
export interface ServedFile {
  contents: Buffer;
  /** Kept as LFS does: the answer redirects to another host, and the hash is SHA-256. */
  isLarge?: boolean;
  /** The size that the listing states, where it is not that of the contents. */
  statedSize?: number;
}

/** What the server does wrong, per path of a file. */
interface Faults {
  /** The connection is cut after so many bytes of an answer, this many times. */
  cut?: { after: number; times: number };
  /** The bytes are other ones than the listing's hash is of. */
  isDamaged?: boolean;
  /** A range is not honoured. */
  ignoresRanges?: boolean;
  /** The answer begins, and nothing more comes. */
  stalls?: boolean;
}

interface Served {
  method: string;
  path: string;
  range: string | undefined;
  authorization: string | undefined;
}

/**
 * A server on loopback that speaks the hub's routes for models: information of a revision, the listing (in pages of two files), and
 * the files. A second one stands for the storage of large files, on another port.
 */
export class HubServer {
  /** The addresses, once the servers listen. */
  endpoint = "";
  storage = "";
  commit = createHash("sha1").update("the commit").digest("hex");
  readonly requests: Served[] = [];
  readonly faults: Record<string, Faults> = {};
  /** The answer to everything, where it is not the usual one. */
  refusal: { status: number; code?: string } | undefined;
  /** The page that is sent in place of every answer, as by a network that asks for a login. */
  page: string | undefined;
  /** The token that the model needs. */
  token: string | undefined;

  readonly #name: string;
  readonly #files: Record<string, ServedFile>;
  readonly #hub: Server;
  readonly #storage: Server;

  constructor(name: string, files: Record<string, ServedFile>) {
    this.#name = name;
    this.#files = files;
    this.#hub = createServer((request, response) => this.#answer(request, response));
    this.#storage = createServer((request, response) => {
      this.#note(request);
      this.#send(decodeURIComponent(request.url!.slice(1)), request, response);
    });
  }

  async listen(): Promise<this> {
    for (const server of [this.#hub, this.#storage]) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
    [this.endpoint, this.storage] = [addressOf(this.#hub), addressOf(this.#storage)];
    return this;
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#storage].filter(({ listening }) => listening)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  hashOf(path: string): string {
    const { contents, isLarge } = this.#files[path]!;
    if (isLarge) return createHash("sha256").update(contents).digest("hex");
    return createHash("sha1").update(`blob ${contents.length}\0`).update(contents).digest("hex");
  }

  /** The ranges with which a file was asked for. */
  rangesOf(path: string): (string | undefined)[] {
    return this.requests.filter((request) => request.path === `/${encodeURIComponent(path)}`).map(({ range }) => range);
  }

  #note(request: IncomingMessage): void {
    const { range, authorization } = request.headers;
    this.requests.push({ method: request.method!, path: request.url!, range, authorization });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#note(request);
    if (this.page !== undefined) response.end(this.page);
    else if (this.refusal) {
      refuse(response, this.refusal.status, this.refusal.code);
    } else if (this.token && request.headers.authorization !== `Bearer ${this.token}`) {
      refuse(response, 401, request.headers.authorization ? undefined : "RepoNotFound");
    } else this.#route(request, response);
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, this.endpoint);
    const [, route, revision, file] =
      new RegExp(`^/api/models/${this.#name}/(revision|tree)/([^/]+)()$`).exec(pathname) ??
      new RegExp(`^/${this.#name}/(resolve)/([^/]+)/(.+)$`).exec(pathname) ??
      [];
    if (!route) refuse(response, 404, "RepoNotFound");
    else if (revision !== "main" && revision !== this.commit) refuse(response, 404, "RevisionNotFound");
    else if (route === "revision") json(response, { _id: "1", id: this.#name, sha: this.commit });
    else if (route === "tree") this.#list(Number(searchParams.get("cursor") ?? 0), response);
    else this.#resolve(decodeURIComponent(file!), request, response);
  }

  /** The headers are those that Python's client reads. */
  #resolve(path: string, request: IncomingMessage, response: ServerResponse): void {
    const served = this.#files[path];
    if (!served) {
      refuse(response, 404, "EntryNotFound");
      return;
    }
    response.setHeader("x-repo-commit", this.commit);
    response.setHeader("etag", `"${this.hashOf(path)}"`);
    if (!served.isLarge) {
      this.#send(path, request, response);
      return;
    }
    response.setHeader("x-linked-etag", `"${this.hashOf(path)}"`);
    response.setHeader("x-linked-size", served.contents.length);
    response.writeHead(302, { location: `${this.storage}/${encodeURIComponent(path)}` }).end();
  }

  #list(from: number, response: ServerResponse): void {
    const entries = Object.entries(this.#files).map(([path, { contents, isLarge, statedSize }]) => {
      const size = statedSize ?? contents.length;
      const lfs = { oid: this.hashOf(path), size, pointerSize: 134 };
      const oid = isLarge ? createHash("sha1").update(path).digest("hex") : this.hashOf(path);
      return { type: "file", path, size, oid, ...(isLarge && { lfs }) };
    });
    if (from + 2 < entries.length) {
      const next = `${this.endpoint}/api/models/${this.#name}/tree/${this.commit}?recursive=true&cursor=${from + 2}`;
      response.setHeader("link", `<${next}>; rel="next"`);
    }
    json(response, entries.slice(from, from + 2));
  }

  #send(path: string, request: IncomingMessage, response: ServerResponse): void {
    const faults = this.faults[path] ?? {};
    const whole = this.#files[path]!.contents;
    const contents = faults.isDamaged ? Buffer.alloc(whole.length, "?") : whole;
    const from = faults.ignoresRanges ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const isPart = request.headers.range !== undefined && !faults.ignoresRanges;
    if (isPart && from >= contents.length) {
      refuse(response, 416);
      return;
    }
    response.writeHead(isPart ? 206 : 200, {
      "content-length": contents.length - from,
      "accept-ranges": "bytes",
      ...(isPart && { "content-range": `bytes ${from}-${contents.length - 1}/${contents.length}` }),
    });
    if (request.method === "HEAD") response.end();
    else if (faults.stalls) response.flushHeaders();
    else if (faults.cut && faults.cut.times > 0) {
      faults.cut.times--;
      response.write(contents.subarray(from, from + faults.cut.after), () => setImmediate(() => response.destroy()));
    } else response.end(contents.subarray(from));
  }
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code?: string): void {
  response.writeHead(status, { "content-type": "application/json", ...(code && { "x-error-code": code }) });
  response.end(JSON.stringify({ error: code ?? "Invalid credentials in Authorization header" }));
}
