import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import type { Socket } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

test("run --inspect waits for a debugger, which finds the cells with their sources", {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const source = "interface Point { x: number }\nconst point: Point = { x: 20 };\npoint.x + 1";
  const notebook = writeCells(folder, "n.ipynb", [code(source)]);
  const output = path.join(folder, "out.ipynb");
  const run = spawn(process.execPath, [cli, "run", notebook, "--inspect", "-o", output], { cwd: folder });
  const ended = new Promise((resolve) => run.once("exit", resolve));
  const url = new URL(await printedAddress(run.stdout, run.stderr));
  assert.equal(url.hostname, "127.0.0.1");
  const key = url.pathname.slice(1);
  assert.match(key, /^[\da-f-]{36}$/);
  assert.ok(!(await body(`http://${url.host}/json/list`)).includes(key));
  const inspector = await connect(url);
  const parsed = new Promise<{ sourceMapURL: string }>((resolve) => {
    inspector.onMessage = ({ method, params }) => {
      if (method === "Debugger.scriptParsed" && params.url === "halftone:cell/1") resolve(params as never);
    };
  });
  inspector.send({ id: 1, method: "Debugger.enable" });
  inspector.send({ id: 2, method: "Runtime.runIfWaitingForDebugger" });
  const { sourceMapURL } = await parsed;
  const map = JSON.parse(Buffer.from(sourceMapURL.split(",")[1]!, "base64").toString()) as Record<string, unknown>;
  assert.deepEqual([map.sources, map.sourcesContent], [["cell [1].ts"], [source]]);
  assert.equal(await ended, 0);
  const { cells } = JSON.parse(readFileSync(output, "utf8")) as { cells: { outputs: { data: object }[] }[] };
  assert.deepEqual(
    cells[0]!.outputs.map(({ data }) => data),
    [{ "text/plain": ["21"] }],
  );
});

/** The address in the line for VS Code. */
function printedAddress(...streams: NodeJS.ReadableStream[]): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    for (const stream of streams)
      stream.on("data", (chunk) => {
        text += chunk;
        const found = /"websocketAddress": "([^"]+)"/.exec(text)?.[1];
        if (found) resolve(found);
      });
  });
}

function body(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });
}

interface Message {
  method?: string;
  params: Record<string, unknown>;
}

interface Inspector {
  onMessage(message: Message): void;
  send(message: object): void;
}

/** As much of a WebSocket as the inspector needs: short text to it, whole texts from it (RFC 6455). */
async function connect(url: URL): Promise<Inspector> {
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": Buffer.from("halftone inspect").toString("base64"),
  };
  const socket = await new Promise<Socket>((resolve) => {
    request(`http://${url.host}${url.pathname}`, { headers })
      .on("upgrade", (_, upgraded) => resolve(upgraded as Socket))
      .end();
  });
  const inspector: Inspector = {
    onMessage: () => {},
    send: (message) => {
      const text = Buffer.from(JSON.stringify(message));
      // A mask of zeros leaves the text as it is.
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
    },
  };
  let bytes = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const short = bytes.length < 2 ? 0 : bytes[1]! & 0x7f;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length < head) return;
      const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
      if (bytes.length < head + length) return;
      const text = bytes.subarray(head, head + length).toString();
      bytes = bytes.subarray(head + length);
      if (text.startsWith("{")) inspector.onMessage(JSON.parse(text) as Message);
    }
  });
  return inspector;
}
