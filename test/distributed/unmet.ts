// `halftone train unmet.js`: worker 1 accepts a connection, as TensorFlow's server does, and ends before its first exchange.
import { once } from "node:events";
import { createServer } from "node:net";

const { HALFTONE_RANK, HALFTONE_WORKERS } = process.env;

if (HALFTONE_RANK === "1") {
  const [host, port] = HALFTONE_WORKERS!.split(",")[1]!.split(":");
  await once(createServer().listen(Number(port), host), "connection");
  throw new Error("before the first exchange");
}
const { distributed } = await import("../../src/index.ts");
distributed.barrier();
