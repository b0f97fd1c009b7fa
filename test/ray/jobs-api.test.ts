import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { rayAddress, rayToken } from "../../src/ray/address.ts";
import { RayJobs } from "../../src/ray/jobs-api.ts";

/** A server in place of Ray's dashboard, which ends with the test. */
async function serve(context: TestContext, answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  context.after(() => server.close());
  return rayAddress(`ray://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const userError = (message: RegExp) => (error: unknown) => error instanceof UserError && message.test(error.message);

test("an address has the dashboard's port unless it names one", () => {
  assert.equal(rayAddress("ray://head").url.href, "http://head:8265/");
  assert.equal(rayAddress("ray://head:80").name, "ray://head");
  assert.equal(rayAddress("ray://[::1]:9000/").url.href, "http://[::1]:9000/");
  assert.equal(rayAddress("ray+https://ray.example.org").url.href, "https://ray.example.org/");
  for (const text of ["ray://", "ray", "ray://head/path", "ray://user:secret@head", "ray://head:port"])
    assert.throws(
      () => rayAddress(text),
      userError(/: expected ray:\/\/HOST, ray:\/\/HOST:PORT or ray\+https:\/\/HOST/),
      text,
    );
});

test("a token comes from the variable, else from the file that Ray's own tools read", () => {
  assert.deepEqual(rayToken({ RAY_AUTH_TOKEN: " abc\n" }), { value: "abc", from: "RAY_AUTH_TOKEN" });
  assert.equal(rayToken({ HOME: "/nonexistent" }), undefined);
  assert.throws(
    () => rayToken({ RAY_AUTH_TOKEN_PATH: "/nonexistent" }),
    userError(/RAY_AUTH_TOKEN_PATH names \/nonexistent/),
  );
});

test("a host that refuses the connection, that is silent and that is not Ray are named", async (context) => {
  const closed = await serve(context, () => {});
  const port = closed.url.port;
  await assert.rejects(
    new RayJobs(closed, undefined, 50).version(),
    userError(new RegExp(`^ray://127.0.0.1:${port} does not answer \\(ETIMEDOUT\\): check that Ray's head node runs`)),
  );
  await assert.rejects(
    new RayJobs(rayAddress("ray://127.0.0.1:9"), undefined).version(),
    userError(/^ray:\/\/127\.0\.0\.1:9 does not answer \(ECONNREFUSED\)/),
  );
  for (const status of [200, 404]) {
    const page = await serve(context, (_, response) => response.writeHead(status).end("<html></html>"));
    await assert.rejects(
      new RayJobs(page, undefined).version(),
      userError(/answers, but not as the dashboard of Ray does/),
    );
  }
});

test("an answer with an error is shown with Ray's reason", async (context) => {
  const address = await serve(context, (_, response) => {
    response.statusCode = 400;
    response.end("Traceback (most recent call last):\n  ...\nValueError: no such field\n");
  });
  await assert.rejects(
    new RayJobs(address, undefined).submit({ id: "x", entrypoint: "true", workingDir: "gcs://x.zip", metadata: {} }),
    userError(/answered POST \/api\/jobs\/ with status 400: ValueError: no such field$/),
  );
});

test("a job with more files than Ray takes is refused before the upload", async () => {
  const jobs = new RayJobs(rayAddress("ray://127.0.0.1:9"), undefined);
  await assert.rejects(
    jobs.upload(new Uint8Array(101 * 2 ** 20)),
    userError(/take 101 MiB compressed, and Ray takes at most 100 MiB/),
  );
});
