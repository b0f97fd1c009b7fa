import assert from "node:assert/strict";
import { test } from "node:test";
import { localPlacement, parseHosts } from "../../src/launch/hosts.ts";
import { clusterEnvironment, parseCluster } from "../../src/runtime/native/cluster/cluster.ts";
import { serverDef } from "../../src/runtime/native/cluster/server-def.ts";

test("a hosts file gives each worker of a host a port of its own", () => {
  const text = "# rack 1\nnode1 workers=2\n\nnode2:3000  # alone\n";
  assert.deepEqual(parseHosts(text, "hosts"), ["node1:2222", "node1:2223", "node2:3000"]);
});

test("a hosts file of another form is refused with the line", () => {
  assert.throws(() => parseHosts("node1\nnode2 2 workers\n", "my.hosts"), {
    message: 'my.hosts, line 2: expected HOST[:PORT] [workers=N], got "node2 2 workers".',
  });
  assert.throws(() => parseHosts("node1:70000", "my.hosts"), /line 1/);
  assert.throws(() => parseHosts("# none", "my.hosts"), /my\.hosts has no host/);
  assert.throws(() => parseHosts("node1\nnode1", "my.hosts"), /the address node1:2222 twice/);
});

test("workers of one machine get different free ports of loopback", async () => {
  const { addresses, own } = await localPlacement(3);
  assert.equal(new Set(addresses).size, 3);
  for (const address of addresses) assert.match(address, /^127\.0\.0\.1:\d+$/);
  assert.deepEqual(own, [0, 1, 2]);
});

test("a worker reads from its environment what the launcher wrote", () => {
  const cluster = { rank: 1, addresses: ["a:1", "b:2"], timeout: 30 };
  assert.deepEqual(parseCluster(clusterEnvironment(cluster)), cluster);
  assert.equal(parseCluster({}), undefined);
  assert.throws(() => parseCluster({ HALFTONE_WORKERS: "a:1,b" }), /HALFTONE_WORKERS must be host:port.*got "b"/);
  assert.throws(
    () => parseCluster({ HALFTONE_WORKERS: "a:1,b:2", HALFTONE_RANK: "2" }),
    /HALFTONE_RANK must be from 0 to 1/,
  );
});

// By the fields of tensorflow_server.proto, cluster.proto and config.proto, as protoc --decode_raw shows them.
test("a cluster is TensorFlow's ServerDef", () => {
  const bytes = Buffer.from(serverDef({ rank: 1, addresses: ["a:1", "b:2"] })).toString("latin1");
  const task = (index: number, address: string) => `\x12\x07\x08${String.fromCharCode(index)}\x12\x03${address}`;
  const job = `\x0a\x06worker${task(0, "a:1")}${task(1, "b:2")}`;
  const clusterDef = `\x0a${String.fromCharCode(job.length)}${job}`;
  const leader = "/job:worker/replica:0/task:0";
  const experimental = `\x0a${String.fromCharCode(leader.length)}${leader}`;
  const config = `\x82\x01${String.fromCharCode(experimental.length)}${experimental}`;
  assert.equal(
    bytes,
    `\x0a${String.fromCharCode(clusterDef.length)}${clusterDef}\x12\x06worker\x18\x01\x22${String.fromCharCode(config.length)}${config}\x2a\x04grpc`,
  );
});
