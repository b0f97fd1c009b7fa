import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * Where processes meet. Linux's abstract sockets and Windows' pipes end with their owner. Other systems have sockets that are files, which stay where
 * their owner was killed.
 */
const addressOf = (id: string): string =>
  process.platform === "linux"
    ? `\0halftone-${id}`
    : process.platform === "win32"
      ? `\\\\.\\pipe\\halftone-${id}`
      : path.join(tmpdir(), `halftone-${id}`);

/**
 * Runs `work` while no other process runs work under the same name, on this machine and for this user. The lock is a
 * socket, so that a waiter learns of its release by its connection closing. `onWait` is told the owner's process id, once.
 */
export async function withLock<T>(name: string, onWait: (pid: string) => void, work: () => Promise<T>): Promise<T> {
  const id = createHash("sha256").update(`${process.getuid?.()} ${name}`).digest("hex").slice(0, 32);
  const address = addressOf(id);
  let told = false;
  for (;;) {
    const server = await listen(address);
    if (server) {
      try {
        return await work();
      } finally {
        server.close();
      }
    }
    await released(address, (pid) => {
      if (!told) onWait(pid);
      told = true;
    });
  }
}

function listen(address: string): Promise<net.Server | undefined> {
  const waiting = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => socket.destroy());
    socket.write(String(process.pid));
  });
  const close = server.close.bind(server);
  server.close = () => {
    for (const socket of waiting) socket.destroy();
    return close();
  };
  return new Promise((resolve, reject) => {
    server.once("listening", () => resolve(server));
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(address);
  });
}

function released(address: string, onOwner: (pid: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    socket.on("data", (pid) => onOwner(String(pid)));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" && path.isAbsolute(address)) rmSync(address, { force: true });
    });
    socket.on("close", () => resolve());
  });
}
