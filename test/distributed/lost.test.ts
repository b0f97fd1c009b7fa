import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isNative } from "../../src/runtime/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { halftoneTrain, program } from "./launch.ts";

const skip = !isNative() && "this machine has no native TensorFlow";
const folder = temporaryFolder();

test("a worker that ends before its first exchange is named long before the timeout", { skip }, async () => {
  const { status, stderr } = await halftoneTrain([program("./unmet.js"), "--workers", "2", "--timeout", "200"]);
  assert.equal(status, 1);
  assert.match(stderr, /failed in worker 0: worker 1 \(127\.0\.0\.1:\d+\) has ended/);
  assert.match(stderr, /^Worker 1 ended with exit status 1\.$/m);
});

test("a worker that was never started is named", { skip }, async () => {
  const hosts = path.join(folder, "hosts");
  writeFileSync(hosts, "127.0.0.1:47011\n127.0.0.2:47012 # another machine\n");
  const args = ["--hosts", hosts, "--host", "127.0.0.1", "--timeout", "1"];
  const { status, stderr } = await halftoneTrain([program("./unmet.js"), ...args]);
  assert.equal(status, 1);
  assert.match(stderr, /worker 1 did not start: nothing listened at 127\.0\.0\.2:47012 within 1 s/);
});
