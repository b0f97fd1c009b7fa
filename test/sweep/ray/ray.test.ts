/**
 * Runs in-cluster.ts, whose tests start a real Ray cluster, in namespaces of its own: a network with loopback alone, because Ray listens on
 * every interface, and process ids that all end with it. Ray takes 400 MB: HALFTONE_RAY=install puts it into the cache (`npm run test:ray`),
 * HALFTONE_RAY=skip leaves the tests out, and without either they run where the cache has it.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { existingVenv, venv } from "../../../kernel/kernelspec/venv.ts";

const requirements = fileURLToPath(new URL("../../../../test/sweep/ray/requirements.txt", import.meta.url));
const wanted = process.env.HALFTONE_RAY;
const python =
  wanted === "skip"
    ? undefined
    : wanted === "install"
      ? await venv(requirements, console.log)
      : existingVenv(requirements);
const skip = python ? false : "Ray is not in the cache: `npm run test:ray` installs it";

test("sweeps run on a Ray cluster whose nodes and driver are killed", { skip, timeout: 600_000 }, async (context) => {
  const namespaces = [
    "--user",
    "--map-root-user",
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ];
  const inside = fileURLToPath(new URL("in-cluster.js", import.meta.url));
  // The shell stays: it is process 1 of the namespace, and without it nobody reaps the processes whose parents were killed.
  const script = 'ip link set lo up && mkdir -p "$1" && mount -t tmpfs -o size=1m tmpfs "$1" && shift && "$@"; exit $?';
  const folder = `/tmp/halftone-ray-${process.pid}`;
  const command = [
    "sh",
    "-c",
    script,
    "sh",
    `${folder}/full`,
    process.execPath,
    "--enable-source-maps",
    inside,
    folder,
  ];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn("unshare", [...namespaces, ...command], {
    env: { ...env, HALFTONE_RAY_PROGRAM: python!.bin("ray") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // unshare's --kill-child then ends all processes of the namespace.
  context.signal.addEventListener("abort", () => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const status = await new Promise((resolve) => child.on("close", resolve));
  for (const line of output.split("\n")) if (/^(not )?ok /.test(line)) context.diagnostic(line);
  assert.equal(status, 0, output);
});
