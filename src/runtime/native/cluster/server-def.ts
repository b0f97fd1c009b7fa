import { integer, joined, message, text } from "../wire-format.ts";
import type { Cluster } from "./cluster.ts";

const JOB = "worker";

/** The cluster as TensorFlow's ServerDef (tensorflow/core/protobuf/tensorflow_server.proto). */
export function serverDef({ rank, addresses }: Pick<Cluster, "rank" | "addresses">): Uint8Array {
  const tasks = addresses.map((address, task) => message(2, joined(integer(1, task), text(2, address))));
  const job = joined(text(1, JOB), ...tasks);
  const leader = text(1, `/job:${JOB}/replica:0/task:0`);
  return joined(
    message(1, message(1, job)),
    text(2, JOB),
    integer(3, rank),
    // session_config.experimental.collective_group_leader
    message(4, message(16, leader)),
    text(5, "grpc"),
  );
}
