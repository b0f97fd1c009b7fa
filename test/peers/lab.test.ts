/** JupyterLab itself in a browser. Screenshots go to HALFTONE_ARTIFACTS, or to a folder beside the temporary files. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import { jupyter } from "./jupyter.ts";

const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const shots = process.env.HALFTONE_ARTIFACTS ?? path.join(tmpdir(), "halftone-screenshots");

// Hooks run in the order in which they are given: JupyterLab ends before jupyter() removes its folder.
const ending: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const end of ending) await end();
});
const { env, bin, folder, notebook } = await jupyter();
mkdirSync(shots, { recursive: true });

notebook("tour.ipynb", [
  "const greeting: string = 'Grüße 😀'; greeting.length",
  "while (true) {}",
  "greeting.toUp",
  `const show = Reflect.get(globalThis, Symbol.for("halftone.display"));
show({ "application/vnd.plotly.v1+json": { data: [{ type: "bar", x: ["a", "b", "c"], y: [2, 5, 3] }],
  layout: { title: { text: "Bars" }, width: 500, height: 300 } }, "text/plain": "a figure" })`,
  "for await (const step of progress(Array.from({ length: 40 }), { label: 'Training' })) await new Promise((go) => setTimeout(go, 100));",
  "const wrong: number = 'text'",
  `import { display, figure } from "halftone";
const drawn = (y: number) => figure({ data: [{ type: "bar", x: ["a"], y: [y] }], layout: { title: { text: "drawn " + y } } });
const place = display(drawn(1));`,
  "place.update(drawn(2)); place.update(drawn(3));",
]);

assert.ok(browserPath, "no Chromium found: install one (apt-get install chromium)");
const port = await freePort();
const server = spawn(
  bin("jupyter"),
  ["lab", "--no-browser", "--allow-root", `--port=${port}`, "--IdentityProvider.token=", `--notebook-dir=${folder}`],
  { env, cwd: folder, stdio: "ignore" },
);
ending.unshift(async () => {
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
});
await answering(`http://127.0.0.1:${port}/api`);
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
ending.unshift(() => browser.close());
const page = await browser.newPage({ viewport: { width: 1200, height: 1100 } });
page.setDefaultTimeout(30_000);

test("JupyterLab opens a notebook with the kernel", { timeout: 60_000 }, async () => {
  await page.goto(`http://127.0.0.1:${port}/lab/tree/tour.ipynb`);
  await page.getByText("TypeScript (Halftone)").first().waitFor();
  await page.locator('[data-status="idle"]').first().waitFor();
});

test("a cell runs and shows its value", { timeout: 60_000 }, async () => {
  await runCell(0);
  await output(0).getByText("8", { exact: true }).waitFor();
  await shoot("1-cell");
});

test("the interrupt button stops a loop and the variables survive", { timeout: 60_000 }, async () => {
  await runCell(1);
  await page.locator('[data-status="busy"]').first().waitFor();
  await page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
  await output(1).getByText("KeyboardInterrupt").first().waitFor();
  await runCell(0);
  await output(0).getByText("8", { exact: true }).waitFor();
  await shoot("2-interrupt");
});

test("Tab completes a method", { timeout: 60_000 }, async () => {
  const editor = cell(2).locator(".cm-content");
  await editor.click();
  await page.keyboard.press("End");
  await page.keyboard.press("Tab");
  const menu = page.locator(".jp-Completer");
  await menu.getByText("toUpperCase").first().waitFor();
  await shoot("3-completion");
  await page.keyboard.press("Enter");
  assert.match((await editor.textContent()) ?? "", /greeting\.toUpperCase/);
});

test("a plotly figure is drawn", { timeout: 60_000 }, async () => {
  await runCell(3);
  await output(3).locator(".js-plotly-plot .bars .point").nth(2).waitFor();
  await shoot("4-plotly");
});

test("a progress bar is a widget, advances and ends full", { timeout: 60_000 }, async () => {
  await runCell(4);
  const bar = output(4).locator(".jupyter-widgets .progress-bar");
  await bar.waitFor({ state: "attached" });
  const width = async (): Promise<number> => Number.parseFloat(await bar.evaluate((node) => node.style.width));
  await page.waitForFunction(
    () => Number.parseFloat(document.querySelector<HTMLElement>(".progress-bar")?.style.width ?? "0") > 20,
  );
  const early = await width();
  await shoot("5-progress");
  assert.ok(early < 100, `the bar was full at once: ${early} %`);
  await page.waitForFunction(() => document.querySelector<HTMLElement>(".progress-bar")?.style.width === "100%");
});

test("a type error is shown and the cell does not run", { timeout: 60_000 }, async () => {
  await runCell(5);
  await output(5).getByText("TS2322").first().waitFor();
  await shoot("6-types");
});

test("an updated figure is redrawn once, in place", { timeout: 60_000 }, async () => {
  await runCell(6);
  const titles = output(6).locator(".js-plotly-plot .gtitle");
  await output(6).getByText("drawn 1").waitFor();
  await runCell(7);
  await output(6).getByText("drawn 3").waitFor();
  assert.deepEqual(await titles.allTextContents(), ["drawn 3"]);
  await shoot("8-updated-figure");
});

test("restart forgets the variables", { timeout: 60_000 }, async () => {
  await page.locator('[data-command="notebook:restart-kernel"], [data-command="kernelmenu:restart"]').first().click();
  await page.locator(".jp-Dialog .jp-mod-accept").click();
  await page.locator(".jp-Dialog").waitFor({ state: "detached" });
  await page.locator('[data-status="idle"]').first().waitFor();
  await runCell(2);
  await output(2).getByText("greeting").first().waitFor();
  await shoot("7-restart");
});

const cell = (index: number) => page.locator(".jp-CodeCell").nth(index);
const output = (index: number) => cell(index).locator(".jp-Cell-outputArea");

async function runCell(index: number): Promise<void> {
  await cell(index).locator(".cm-content").click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Enter");
}

async function shoot(name: string): Promise<void> {
  await page.screenshot({ path: path.join(shots, `lab-${name}.png`) });
}

async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not up yet.
    }
    if (Date.now() > deadline) throw new Error(`nothing answers at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
