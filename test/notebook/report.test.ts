import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { findBrowser } from "../../src/notebook/browser.ts";
import { type Notebook, parseNotebook, readNotebook } from "../../src/notebook/nbformat.ts";
import { headlineOf, renderLanding, renderPage } from "../../src/notebook/report/index.ts";
import { code, markdown, notebookJson, scratch } from "./cells.ts";

const fixtures = new URL("../../../test/notebook/fixtures/", import.meta.url).pathname;
const gallery = () => readNotebook(path.join(fixtures, "gallery.ipynb"));
const render = (notebook: Notebook) => renderPage(notebook, { name: "gallery", folder: fixtures });

function withOutput(data: Record<string, unknown>): Notebook {
  const output = { output_type: "display_data", data, metadata: {} };
  return parseNotebook(notebookJson([{ ...code("show()"), outputs: [output] }]), "n.ipynb");
}

const figure = (type: string, more: Record<string, unknown>) =>
  withOutput({
    "application/vnd.plotly.v1+json": { data: [{ type, ...more }], layout: { title: { text: "A figure" } } },
  });

test("plotly stands in the page once, and only when a figure needs it", async () => {
  const plain = await render(parseNotebook(notebookJson([markdown("# Text")]), "n.ipynb"));
  assert.ok(plain.length < 50_000, `${plain.length} bytes`);
  const twice = await render(gallery());
  assert.equal(twice.split("plotly.js (cartesian").length, 2);
  assert.ok(twice.length < 2_000_000, `${twice.length} bytes`);
});

test("text in outputs is escaped, and a figure's text cannot end its script", async () => {
  const stream = { output_type: "stream", name: "stdout", text: "<img src=x onerror=alert(1)> \u001b[31mred\u001b[0m" };
  const page = await render(parseNotebook(notebookJson([{ ...code("1"), outputs: [stream] }]), "n.ipynb"));
  assert.match(page, /&lt;img src=x onerror=alert\(1\)&gt; <span class="ansi-red-fg">red<\/span>/);
  const closing = await render(figure("bar", { x: ["</script><b>"], y: [1] }));
  assert.ok(!closing.includes("</script><b>"));
});

test("HTML in markdown loses its scripts and handlers and is closed", async () => {
  const source = 'a <b onclick="x()">bold\n\n<script>alert(1)</script>\n\n<div><p>open\n\n[link](javascript:alert(1))';
  const page = await render(parseNotebook(notebookJson([markdown(source), markdown("next")]), "n.ipynb"));
  assert.doesNotMatch(page, /onclick|alert\(1\)<\/script>|href="javascript/);
  assert.match(page, /open[\s\S]*<\/div>.*<\/section>\s*<section class="cell prose"><p>next/);
});

test("links keep http, https, mailto and relative addresses; every other scheme is taken out", async () => {
  const kept = [
    "https://a.example/",
    "HTTP://a.example",
    "mailto:a@b.example",
    "#part",
    "other.ipynb",
    "a/b:c",
    "?q=a:b",
  ];
  const refused = [
    "javascript:x()",
    "java&#10;script:x()",
    "java&Tab;script:x()",
    " &#1; javascript:x()",
    "JaVaScRiPt:x()",
    "vbscript:x()",
    "data:text/html,x",
    "data:image/svg+xml,x",
    "file:///etc/passwd",
    "blob:x",
  ];
  const html = [...kept, ...refused].map((address) => `<a href="${address}">x</a>`).join("");
  const more = '<svg><a xlink:href="javascript:x()"><animate attributeName="href" to="javascript:x()"/></a></svg>';
  const page = await render(
    withOutput({ "text/html": `${html}${more}<button formaction="javascript:x()">b</button>` }),
  );
  const body = page.slice(page.indexOf("<main"), page.indexOf("</main>"));
  const found = [...body.matchAll(/<a href="([^"]*)">x</g)].map((match) => match[1]);
  assert.deepEqual(found, kept);
  assert.doesNotMatch(body, /script:/i);
});

const executablePath = findBrowser();

describe("in a browser", { skip: executablePath ? false : "no Chromium or Chrome is on the PATH" }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", "--disable-gpu"] });
  });
  after(() => browser.close());

  type View = { width?: number; colorScheme?: "light" | "dark" };

  /** Opens the page from a file in a browser that may fetch nothing; `faults` collects what goes wrong. */
  async function open(
    context: TestContext,
    shown: Notebook | string,
    { width = 1280, colorScheme = "light" }: View = {},
  ) {
    const file = path.join(scratch(context), "page.html");
    writeFileSync(file, typeof shown === "string" ? shown : await render(shown));
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    context.after(() => page.close());
    const faults: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(error.message));
    await page.route(/^(?!file:|data:|blob:|about:)/, (route) => {
      faults.push(`it asked for ${route.request().url()}`);
      return route.abort();
    });
    await page.goto(pathToFileURL(file).href);
    return { page, faults };
  }

  test("the report opens without a network or an error, its figures drawn and its frame run", async (context) => {
    const { page, faults } = await open(context, gallery());
    await page.waitForSelector("figure.plotly .main-svg .trace");
    assert.equal(await page.locator("figure.plotly .plot > .plot-container").count(), 2);
    const frame = page.frameLocator("iframe.frame").locator("#p");
    assert.equal(await frame.textContent(), "a frame of its own ran its script");
    assert.equal(await page.locator("math").count(), 5);
    assert.equal(await page.locator("details summary", { hasText: "more lines" }).count(), 1);
    assert.deepEqual(faults, []);
  });

  test("a figure beyond the cartesian bundle is drawn by the full one", async (context) => {
    const { page, faults } = await open(context, figure("scatterpolar", { r: [1, 2, 3], theta: [0, 90, 180] }));
    await page.waitForSelector("figure.plotly .polar .trace");
    assert.deepEqual(faults, []);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`a phone in ${colorScheme} colours shows all without scrolling sideways, legibly`, async (context) => {
      const { page, faults } = await open(context, gallery(), { width: 390, colorScheme });
      await page.waitForSelector("figure.plotly .main-svg .trace");
      assert.deepEqual(await page.evaluate(tooWide), []);
      assert.deepEqual(await page.evaluate(tooFaint), []);
      assert.deepEqual(faults, []);
    });
  }

  test("a figure without a background of its own takes the page's ink; one with its own keeps it", async (context) => {
    const titled = (layout: Record<string, unknown>) =>
      withOutput({
        "application/vnd.plotly.v1+json": {
          data: [{ x: [1, 2], y: [3, 4] }],
          layout: { title: { text: "T" }, font: { color: "rgb(127, 127, 127)" }, ...layout },
        },
      });
    const fill = async (layout: Record<string, unknown>) => {
      const { page } = await open(context, titled(layout), { colorScheme: "dark" });
      return page.locator(".gtitle").evaluate((text) => getComputedStyle(text).fill);
    };
    assert.notEqual(await fill({ paper_bgcolor: "rgba(0,0,0,0)" }), "rgb(127, 127, 127)");
    assert.equal(await fill({ paper_bgcolor: "#ffffff" }), "rgb(127, 127, 127)");
  });

  test("figures follow a change of colours while the page is open", async (context) => {
    const { page } = await open(context, gallery());
    const title = page.locator("figure.plotly .gtitle").first();
    await title.waitFor();
    const colour = () => title.evaluate((text) => getComputedStyle(text).fill);
    const light = await colour();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForFunction((was) => getComputedStyle(document.querySelector(".gtitle")!).fill !== was, light);
    assert.notEqual(await colour(), light);
  });

  test("a person can read its structure: one h1, headings in order, names for figures and images", async (context) => {
    const { page } = await open(context, gallery());
    const levels = await headingLevels(page);
    assert.equal(levels.filter((level) => level === 1).length, 1);
    levels.forEach((level, at) => {
      assert.ok(level - (levels[at - 1] ?? 0) <= 1, `h${level} follows h${levels[at - 1]}`);
    });
    assert.equal(await page.getByRole("group", { name: "Training loss" }).count(), 1);
    assert.equal(await page.locator("img:not([alt])").count(), 0);
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    assert.equal(await page.title(), "Padding, and what it costs");
    await page.getByRole("link", { name: "Loss over time" }).click();
    assert.match(page.url(), /#Loss-over-time$/);
  });

  const landing = () =>
    renderLanding([
      {
        title: "Padding",
        page: "a.html",
        notebook: "a.ipynb",
        record: { status: "ok" },
        headline: headlineOf(gallery())!,
      },
      { title: "Broken", page: "b.html", notebook: "b.ipynb", record: { status: "error" } },
    ]);

  test("the landing page draws each notebook's headline figure and leads to its page", async (context) => {
    const { page, faults } = await open(context, await landing());
    await page.waitForSelector(".card figure.plotly .main-svg .trace");
    assert.equal(await page.getByRole("listitem").count(), 2);
    assert.equal(await page.getByRole("link", { name: "Padding" }).getAttribute("href"), "a.html");
    assert.deepEqual(faults, []);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing against WCAG 2.2 AA in ${colorScheme} colours`, async (context) => {
      for (const shown of [gallery(), await landing()]) {
        const { page } = await open(context, shown, { colorScheme });
        await page.waitForSelector("figure.plotly .main-svg .trace");
        assert.deepEqual(await accessibilityFaults(page), []);
      }
    });
  }

  test("on paper everything is open and figures fit", async (context) => {
    const { page } = await open(context, gallery(), { colorScheme: "dark" });
    await page.waitForSelector("figure.plotly .main-svg .trace");
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.equal(await page.locator("main details:not([open])").count(), 0);
    assert.equal(await page.locator("figure.plotly .main-svg").first().getAttribute("width"), "640");
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.equal(await page.locator("main details[open]").count(), 0);
  });
});

async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as { axe: typeof axe };
    const only = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    return (await loaded.run(document, { runOnly: only, iframes: false })).violations;
  });
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
}

function headingLevels(page: Page): Promise<number[]> {
  return page.locator("h1, h2, h3, h4, h5, h6").evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
}

/** Runs in the page: what reaches beyond the window without standing in a box that scrolls by itself. */
function tooWide(): string[] {
  const scrolls = (element: Element | null): boolean =>
    element !== null && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element.parentElement))
    .map((element) => element.outerHTML.slice(0, 80));
}

/** Runs in the page: texts whose contrast with what is behind them is under WCAG's 4.5 to 1. */
function tooFaint(): string[] {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
  const rgba = (colour: string): number[] => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour: string): number => {
    const [r, g, b] = rgba(colour).map((value) =>
      value / 255 <= 0.04045 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const behind = (element: Element | null): string => {
    if (!element) return "white";
    const { backgroundColor } = getComputedStyle(element);
    return rgba(backgroundColor)[3]! > 250 ? backgroundColor : behind(element.parentElement);
  };
  const faint: string[] = [];
  for (const element of document.querySelectorAll("main *, .top *")) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent!.trim());
    if (
      text.join("") === "" ||
      element.getClientRects().length === 0 ||
      element.closest(".modebar-container, annotation")
    )
      continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(element instanceof SVGElement ? style.fill : style.color), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(1)}: ${text.join(" ").slice(0, 40)}`);
  }
  return faint;
}
