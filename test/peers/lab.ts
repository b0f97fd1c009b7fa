/** JupyterLab itself in a browser. Screenshots go to HALFTONE_ARTIFACTS, or to a folder beside the temporary files. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { chromium, type Locator, type Page } from "playwright-core";
import { jupyter } from "./jupyter.ts";

const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const shots = process.env.HALFTONE_ARTIFACTS ?? path.join(tmpdir(), "halftone-screenshots");

export interface Lab {
  page: Page;
  /** Opens a notebook of the server and waits until its kernel is idle. */
  open(name: string): Promise<void>;
  cell(index: number): Locator;
  output(index: number): Locator;
  runCell(index: number): Promise<void>;
  shoot(name: string): Promise<void>;
}

/** Starts a server with these notebooks of code cells, by name, and a browser; both end with the tests. */
export async function startLab(
  notebooks: Record<string, string[]>,
  viewport: { width: number; height: number },
): Promise<Lab> {
  // Hooks run in the order in which they are given: JupyterLab ends before jupyter() removes its folder.
  const ending: (() => Promise<unknown>)[] = [];
  after(async () => {
    for (const end of ending) await end();
  });
  const { env, bin, folder, notebook } = await jupyter();
  mkdirSync(shots, { recursive: true });
  for (const [name, cells] of Object.entries(notebooks)) notebook(name, cells);
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
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(30_000);
  const cell = (index: number) => page.locator(".jp-CodeCell").nth(index);
  return {
    page,
    cell,
    output: (index) => cell(index).locator(".jp-Cell-outputArea"),
    open: async (name) => {
      await page.goto(`http://127.0.0.1:${port}/lab/tree/${name}`);
      await page.getByText("TypeScript (Halftone)").first().waitFor();
      await page.locator('[data-status="idle"]').first().waitFor();
    },
    runCell: async (index) => {
      await cell(index).locator(".cm-content").click();
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+Enter");
    },
    shoot: async (name) => {
      await page.screenshot({ path: path.join(shots, `lab-${name}.png`) });
    },
  };
}

async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 180_000;
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
