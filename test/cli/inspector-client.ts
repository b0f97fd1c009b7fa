import { request } from "node:http";
import type { Socket } from "node:net";

interface Message {
  id?: number;
  method?: string;
  params: Record<string, unknown>;
}

interface Inspector {
  onMessage(message: Message): void;
  send(message: object): void;
}

/** As much of a WebSocket as the inspector needs: short text to it, whole texts from it (RFC 6455). */
export async function connect(url: URL): Promise<Inspector> {
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
