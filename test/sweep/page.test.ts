import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { parseNotebook, writeNotebook } from "../../src/notebook/nbformat.ts";
import { findBrowser } from "../../src/plot/browser.ts";
import { writePages } from "../../src/sweep/page/write.ts";
import type { Plan } from "../../src/sweep/plan.ts";
import { Store } from "../../src/sweep/store.ts";
import { code, markdown, notebookJson } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { record } from "./records.ts";

const failure = { name: "RangeError", message: "the rate <b>0.1</b> is too high", cell: 2 };
const records = [
  record("a", { rate: 0.001, optimizer: "adam", seed: 1 }, { loss: [2, 1.5], accuracy: [0.5] }),
  record("b", { rate: 0.001, optimizer: "adam", seed: 2 }, { loss: [2, 1.4], accuracy: [0.7] }),
  record("c", { rate: 0.1, optimizer: "sgd", seed: 1 }, { loss: [2, 0.5], accuracy: [0.9] }),
  record("d", { rate: 0.1, optimizer: "sgd", seed: 2 }, { loss: [2] }, failure),
];
const plan: Plan = {
  format: 1,
  notebook: "toy.ipynb",
  folder: "..",
  identity: { source: "", inputs: {}, version: "1.2.3", build: "" },
  points: [
    ...records.map(({ id, parameters }) => ({ id, parameters })),
    { id: "e".repeat(12), parameters: { rate: 1 } },
  ],
};

const executablePath = findBrowser();
describe("the page of a sweep", { skip: executablePath ? false : "no Chromium or Chrome is on the PATH" }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", "--disable-gpu"] });
  });
  after(() => browser.close());

  async function open(): Promise<{ page: Page; faults: string[] }> {
    const store = new Store(temporaryFolder());
    const notebook = parseNotebook(notebookJson([markdown("# A toy"), code("1")]), "toy.ipynb");
    mkdirSync(path.join(store.folder, "points"));
    writeNotebook(store.sourceFile, notebook);
    writeNotebook(store.notebookFile(records[2]!.id), notebook);
    const index = await writePages(store, plan, records, { metric: "accuracy", direction: "max" });
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const faults: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(pathToFileURL(index).href);
    return { page, faults };
  }
  const shownIds = (page: Page) => page.locator("#points tbody tr:visible td:first-child").allTextContents();
  const ids = (...letters: string[]) => letters.map((letter) => letter.padEnd(12, "0"));

  test("draws parallel coordinates, the mean over seeds and learning curves, and links the best point's page", async () => {
    const { page, faults } = await open();
    await page.locator(".plotly .main-svg").first().waitFor();
    assert.deepEqual(await page.locator("h2").allTextContents(), [
      "Points",
      "Parallel coordinates",
      "Over seeds",
      "Learning curves",
    ]);
    assert.match(
      (await page.locator(".summary").textContent())!,
      /Best accuracy \(highest\): 0\.9 with rate=0\.1 optimizer=sgd seed=1/,
    );
    assert.match((await page.locator(".note").first().textContent())!, /3 of 5 points done · 1 failed · 1 not run/);
    // The mean of 0.5 and 0.7 with the sample's standard deviation, 0.1414.
    assert.match((await page.locator("main").textContent())!, /rate=0\.001 optimizer=adam0\.6 ± 0\.1420/);
    await page.getByText("its page").click();
    await page.waitForURL(/best\.html$/);
    assert.equal(await page.locator("h1").textContent(), "A toy");
    await page.getByText("All points").click();
    await page.waitForURL(/index\.html$/);
    assert.deepEqual(faults, []);
  });

  test("sorts by a column, with points that lack the value last", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "accuracy" }).click();
    assert.deepEqual(await shownIds(page), ids("a", "b", "c", "d"));
    await page.getByRole("button", { name: "accuracy" }).click();
    assert.deepEqual(await shownIds(page), ids("c", "b", "a", "d"));
  });

  test("filters by words and comparisons, and shows the error of a failed point", async () => {
    const { page } = await open();
    const filter = page.getByLabel("Filter");
    await filter.fill("rate<0.01 seed=2");
    assert.deepEqual(await shownIds(page), ids("b"));
    assert.equal(await page.locator("#shown").textContent(), "1 of 4 points");
    await filter.fill("status=failed");
    assert.deepEqual(await shownIds(page), ids("d"));
    assert.equal(
      await page.locator("td.message:visible").textContent(),
      "cell 2: RangeError: the rate <b>0.1</b> is too high",
    );
    await filter.fill('error="rate <b>"');
    assert.deepEqual(await shownIds(page), []);
    await filter.fill('"is too high"');
    assert.deepEqual(await shownIds(page), ids("d"));
    await filter.fill("accuracy>0.5");
    assert.deepEqual(await shownIds(page), ids("b", "c"));
  });

  test("is accessible", async () => {
    const { page } = await open();
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(document, { rules: { region: { enabled: false } } }),
    );
    assert.deepEqual(
      violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
      [],
    );
  });
});
