import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { findBrowser } from "../../src/plot/browser.ts";
import { figure } from "../../src/plot/index.ts";
import { openNotebook } from "../kernel/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const skip = findBrowser() ? false : "no Chromium or Chrome is on the PATH";

const line = figure({
  data: [{ x: new Float32Array([1, 2, 3]), y: [3, Number.NaN, 2], name: "</script><b>loss</b>" }],
  layout: { title: { text: "Loss <i>over</i> steps" }, height: 300 },
});

/** Width and height in the header of a PNG (section 11.2.2 of its specification). */
function sizeOfPng(file: string): [number, number] {
  const bytes = readFileSync(file);
  assert.equal(bytes.toString("latin1", 1, 4), "PNG");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

describe("save of a figure", () => {
  test("writes plotly's JSON as a notebook has it", async () => {
    await line.save(at("f.json"));
    const { data, layout, config } = JSON.parse(readFileSync(at("f.json"), "utf8"));
    assert.deepEqual(data, [{ x: [1, 2, 3], y: [3, null, 2], name: "</script><b>loss</b>" }]);
    assert.equal(layout.title.text, "Loss <i>over</i> steps");
    assert.equal(layout.paper_bgcolor, "rgba(0,0,0,0)");
    assert.deepEqual(config, { displaylogo: false });
  });

  test("writes what the figure has at that time, with the options' size", async () => {
    const changed = figure({ data: [] });
    changed.layout.title = { text: "later" };
    await changed.save(at("changed.json"), { width: 500, height: 200, background: "#eeeeee" });
    const { title, width, height, paper_bgcolor } = JSON.parse(readFileSync(at("changed.json"), "utf8")).layout;
    assert.deepEqual([title, width, height, paper_bgcolor], [{ text: "later" }, 500, 200, "#eeeeee"]);
    assert.equal(changed.layout.width, undefined);
  });

  test("makes the folder of the file", async () => {
    await line.save(at("made/inner/f.json"));
    assert.deepEqual(readdirSync(at("made/inner")), ["f.json"]);
  });

  test("refuses in one sentence what it cannot write, and leaves no file", async () => {
    mkdirSync(at("folder.png"));
    const before = readdirSync(folder);
    const refused = (file: string, message: string | RegExp, options = {}) =>
      assert.rejects(line.save(file, options), { message });
    await refused(at("f.pdf"), `figure.save: the name of ${at("f.pdf")} must end in .png, .svg, .html, .json`);
    await refused(
      at("folder.png"),
      /^Cannot write .*folder\.png: this is a folder, not a file; choose another file name/,
    );
    await refused(at("f.json/f.html"), /^Cannot write .*: a part of this path is a file, not a folder/);
    await refused(at("f.html"), "figure.save: width must be a positive number, got 0", { width: 0 });
    await refused(at("f.html"), "figure.save: scale must be a positive number, got NaN", { scale: Number.NaN });
    await refused(3 as never, "figure.save: expected a file name, got 3");
    assert.deepEqual(readdirSync(folder), before);
  });

  test("draws a PNG of the size that layout or options give", { skip }, async () => {
    await line.save(at("f.png"));
    assert.deepEqual(sizeOfPng(at("f.png")), [1520, 600]);
    await line.save(at("f.png"), { width: 400, height: 250, scale: 1 });
    assert.deepEqual(sizeOfPng(at("f.png")), [400, 250]);
  });

  test("draws an SVG on white unless another background is asked for", { skip }, async () => {
    await line.save(at("f.svg"));
    const white = readFileSync(at("f.svg"), "utf8");
    assert.match(white, /^<svg [^>]*width="760" height="300"/);
    assert.match(white, /fill: rgb\(255, 255, 255\)/);
    await line.save(at("f.svg"), { background: "transparent" });
    assert.doesNotMatch(readFileSync(at("f.svg"), "utf8"), /fill: rgb\(255, 255, 255\)/);
  });

  test("writes a page that draws the figure without a network, under a policy", { skip }, async () => {
    await line.save(at("f.html"));
    await figure({ data: [{ type: "treemap", labels: ["a"], parents: [""], values: [1] }] }).save(at("tree.html"));
    const browser = await chromium.launch({ executablePath: findBrowser()!, args: ["--no-sandbox", "--disable-gpu"] });
    try {
      const page = await browser.newPage({ viewport: { width: 640, height: 480 } });
      const faults: string[] = [];
      page.on("console", (message) => faults.push(message.text()));
      page.on("pageerror", ({ message }) => faults.push(message));
      page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || faults.push(request.url()));
      await page.goto(pathToFileURL(at("f.html")).href);
      await page.waitForSelector(".main-svg .trace");
      assert.equal(await page.title(), "Loss over steps");
      assert.equal((await page.locator(".main-svg").first().boundingBox())!.width, 640);
      const policy = await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content");
      assert.match(policy!, /^default-src 'none'; script-src 'sha256-[^']*' 'sha256-[^']*'; /);
      await page.goto(pathToFileURL(at("tree.html")).href);
      await page.waitForSelector(".treemaplayer .slice");
      assert.deepEqual(faults, []);
    } finally {
      await browser.close();
    }
  });
});

describe("save of a figure in a cell", () => {
  const { run, session } = openNotebook({ cwd: folder });
  const setUp = 'import { figure } from "halftone/plot";\nconst made = figure({ data: [{ y: [1, 2] }] });';

  test("writes into the notebook's folder", { skip }, async () => {
    await run(setUp);
    await run('await made.save("cell.png", { width: 300, height: 200, scale: 1 })');
    assert.deepEqual(sizeOfPng(at("cell.png")), [300, 200]);
  });

  test("says what to do without a browser, which a page and JSON do not need", async () => {
    const without = `${setUp}\nconst kept = process.env.PATH;\nprocess.env.PATH = "";`;
    const { error } = await run(`${without}\ntry { await made.save("none.png") } finally { process.env.PATH = kept }`);
    const expected = "No browser was found to draw the figures: install Chromium or Chrome, or set HALFTONE_BROWSER";
    assert.ok(error!.evalue.startsWith(expected), error!.evalue);
    await run(`${without}\ntry { await made.save("cell.html") } finally { process.env.PATH = kept }`);
    assert.ok(existsSync(at("cell.html")) && !existsSync(at("none.png")));
  });

  test("ends the browser and writes nothing when the cell is interrupted", async () => {
    writeFileSync(at("slow"), `#!/bin/sh\necho $$ > ${at("pid")}\nexec sleep 600\n`);
    chmodSync(at("slow"), 0o755);
    const started = `while (!require("fs").existsSync("pid")) await new Promise((go) => setTimeout(go, 5)); console.log("on");`;
    const { error, stdout } = await run(
      `${setUp}\nprocess.env.HALFTONE_BROWSER = ${JSON.stringify(at("slow"))};
const writing = made.save("slow.png");
${started}
try { await writing } finally { console.log("end") }`,
      { onOutput: (output) => output.type === "stream" && output.text === "on\n" && session.interrupt() },
    );
    assert.equal(error!.ename, "KeyboardInterrupt");
    assert.equal(stdout, "on\nend\n");
    const pid = Number(readFileSync(at("pid"), "utf8"));
    await run(`{ const { setTimeout: wait } = require("timers/promises");
      for (const gone = () => { try { process.kill(${pid}, 0); return false } catch { return true } }; !gone();) await wait(5); }`);
    assert.ok(!existsSync(at("slow.png")));
  });
});
