import type { Readable, Writable } from "node:stream";

/**
 * JSON-RPC 2.0 in `Content-Length` frames, as the language server protocol defines it. Written here, because this file is
 * all it takes, and `vscode-jsonrpc` would take longer to load than the rest of the checker, in a process that the user waits for.
 */
export interface Rpc {
  request<Result>(method: string, params: unknown): Promise<Result>;
  notify(method: string, params: unknown): void;
  /** Rejects every open request, and all later ones. */
  close(why: Error): void;
}

interface Incoming {
  id?: number | string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code: number; message: string };
}

/** `answer` handles the requests of the other side. */
export function connect(
  input: Readable,
  output: Writable,
  answer: (method: string, params: unknown) => unknown,
  failed: (why: Error) => void,
): Rpc {
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (why: Error) => void }>();
  let lastId = 0;
  let closed: Error | undefined;

  const send = (message: object): void => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    output.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const receive = ({ id, method, params, result, error }: Incoming): void => {
    if (method !== undefined) {
      if (id !== undefined) send({ id, result: answer(method, params) ?? null });
      return;
    }
    const request = waiting.get(id as number);
    waiting.delete(id as number);
    if (error) request?.reject(new Error(`the language server: ${error.message}`));
    else request?.resolve(result as never);
  };
  const read = frames((body) => receive(JSON.parse(body) as Incoming));
  input.on("data", (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      failed(error as Error);
    }
  });

  return {
    request: (method, params) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(closed);
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        send({ id, method, params });
      }),
    notify: (method, params) => {
      if (!closed) send({ method, params });
    },
    close: (why) => {
      closed ??= why;
      for (const { reject } of waiting.values()) reject(why);
      waiting.clear();
    },
  };
}

/** Cuts a stream of bytes into message bodies. */
function frames(deliver: (body: string) => void): (chunk: Buffer) => void {
  const chunks: Buffer[] = [];
  let buffered = 0;
  let needed = 0;
  return (chunk) => {
    chunks.push(chunk);
    buffered += chunk.length;
    while (buffered > 0 && buffered >= needed) {
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      chunks.splice(0, chunks.length, all);
      const head = all.indexOf("\r\n\r\n");
      if (head === -1) return;
      const length = /^content-length: *(\d+)/im.exec(all.toString("latin1", 0, head))?.[1];
      if (length === undefined) throw new Error("the language server sent a message without a length");
      const end = head + 4 + Number(length);
      needed = end;
      if (buffered < end) return;
      const rest = all.subarray(end);
      chunks.splice(0, chunks.length, rest);
      buffered = rest.length;
      needed = 0;
      deliver(all.toString("utf8", head + 4, end));
    }
  };
}
