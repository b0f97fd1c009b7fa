import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { mimeBundle, table } from "../../src/display/index.ts";
import { treemapFigure } from "../../src/memory/figures.ts";
import { type Notebook, parseNotebook, readNotebook } from "../../src/notebook/nbformat.ts";
import { headlineOf, renderLanding, renderPage, sharedPlotly } from "../../src/notebook/report/index.ts";
import { findBrowser } from "../../src/plot/browser.ts";
import { palette, figure as plotly } from "../../src/plot/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { code, markdown, notebookJson } from "./cells.ts";

const fixtures = new URL("../../../test/notebook/fixtures/", import.meta.url).pathname;
const gallery = () => readNotebook(path.join(fixtures, "gallery.ipynb"));
const render = (notebook: Notebook) => renderPage(notebook, { name: "gallery", folder: fixtures });

function withOutput(data: Record<string, unknown>): Notebook {
  const output = { output_type: "display_data", data, metadata: {} };
  return parseNotebook(notebookJson([{ ...code("show()"), outputs: [output] }]), "n.ipynb");
}

const shows = (data: Record<string, unknown>) => ({
  ...code("show()"),
  outputs: [{ output_type: "display_data", data, metadata: {} }],
});
const plotted = (made: Parameters<typeof plotly>[0]) => {
  const { data, layout, config } = plotly(made);
  return { "application/vnd.plotly.v1+json": { data, layout, config } };
};

const figure = (type: string, more: Record<string, unknown>) =>
  withOutput({
    "application/vnd.plotly.v1+json": { data: [{ type, ...more }], layout: { title: { text: "A figure" } } },
  });

test("plotly is in the page once, and only when a figure needs it", async () => {
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

test("code is highlighted the same when the machine is slow", async (context) => {
  const notebook = parseNotebook(notebookJson([code("// a comment\nlet hidden = 48;")]), "n.ipynb");
  const page = await render(notebook);
  // Shiki and the grammar read the clock: every look at it is 10 seconds later than the one before.
  let now = Date.now();
  context.mock.method(Date, "now", () => {
    now += 10_000;
    return now;
  });
  assert.equal(await render(notebook), page);
});

test("HTML in markdown loses its scripts and handlers and is closed", async () => {
  const source = 'a <b onclick="x()">bold\n\n<script>alert(1)</script>\n\n<div><p>open\n\n[link](javascript:alert(1))';
  const page = await render(parseNotebook(notebookJson([markdown(source), markdown("next")]), "n.ipynb"));
  assert.doesNotMatch(page, /onclick|alert\(1\)<\/script>|href="javascript/);
  assert.match(page, /open[\s\S]*<\/div>.*<\/section>\s*<section class="cell prose"><p>next/);
});

test("links keep http, https, mailto and relative addresses; every other scheme is removed", async () => {
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

  /** Opens the page from a file in a browser without a network; `faults` collects errors. */
  async function open(
    context: TestContext,
    shown: Notebook | string,
    { width = 1280, colorScheme = "light" }: View = {},
  ) {
    const file = path.join(temporaryFolder(), "page.html");
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

  test("the report opens without a network or an error, draws its figures and runs its frame", async (context) => {
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
    test(`a phone in ${colorScheme} colours shows everything legibly and without horizontal scrolling`, async (context) => {
      const { page, faults } = await open(context, gallery(), { width: 390, colorScheme });
      await page.waitForSelector("figure.plotly .main-svg .trace");
      assert.deepEqual(await page.evaluate(tooWide), []);
      assert.deepEqual(await page.evaluate(tooFaint), []);
      assert.deepEqual(faults, []);
    });
  }

  test("a figure without its own background takes the page's text colour; one with a background keeps its colours", async (context) => {
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

  const legendary = parseNotebook(
    notebookJson([
      shows(
        plotted({
          data: ["training loss", "validation loss", "moving average", "chance"].map((name, at) => ({
            name,
            x: [1, 2],
            y: [at, 1],
          })),
          layout: {
            title: {
              text: "The loss over steps of a training run, beside what guessing the most frequent answer gives",
            },
          },
        }),
      ),
      shows(plotted({ data: [{ x: [1, 2], y: [1, 2] }], layout: { title: { text: "One line" } } })),
    ]),
    "n.ipynb",
  );

  for (const width of [400, 800, 1400]) {
    test(`at ${width} px a title is complete, a legend is below it, and a plot without a legend has no gap above it`, async (context) => {
      const { page, faults } = await open(context, legendary, { width });
      const boxes = () =>
        page.evaluate(() =>
          [...document.querySelectorAll("figure.plotly")].map((figure) => {
            const box = (selector: string) => figure.querySelector(selector)?.getBoundingClientRect();
            const { left, right, top } = box(".main-svg")!;
            return {
              left,
              right,
              top,
              title: box(".gtitle")!,
              legend: box(".legend"),
              plot: box(".plot .bg, .plotbg, .nsewdrag")!,
            };
          }),
        );
      await page.waitForFunction(() => document.querySelectorAll("figure.plotly[style*=min-height]").length === 0);
      for (const at of [width, width - 60]) {
        await page.setViewportSize({ width: at, height: 900 });
        await page.waitForFunction(() => {
          const [first] = document.querySelectorAll("figure.plotly");
          const [title, svg] = [".gtitle", ".main-svg"].map((one) =>
            first!.querySelector(one)!.getBoundingClientRect(),
          );
          const legend = first!.querySelector(".legend")!.getBoundingClientRect();
          return title!.right <= svg!.right && legend.top >= title!.bottom - 4;
        });
        const [long, short] = await boxes();
        assert.ok(long!.title.top >= long!.top && long!.legend!.bottom <= long!.plot.top + 1, JSON.stringify(long));
        assert.ok(short!.plot.top - short!.title.bottom < 24, JSON.stringify(short));
      }
      assert.deepEqual(faults, []);
    });
  }

  test("a table's numbers are right-aligned and not broken, on a phone and in print", async (context) => {
    const rows = [
      {
        way: "fixed",
        rate: "528,000 / 0",
        share: "12.5 %",
        loss: 1.17,
        spread: "0.84 ± 0.17",
        memory: "45.5 MiB",
        note: "3 of each",
      },
      {
        way: "dynamic",
        rate: "1,528,000",
        share: "–",
        loss: 0.5,
        spread: "x 1.17",
        memory: "",
        note: "as long as the longest",
      },
    ];
    const written = "| way | tokens | time |\n|---|---|---|\n| fixed | 528,000 | 1.5 s |\n| dynamic | 1,000 | – |";
    const notebook = parseNotebook(
      notebookJson([shows((await mimeBundle(table(rows))) as Record<string, unknown>), markdown(written)]),
      "n.ipynb",
    );
    const { page } = await open(context, notebook, { width: 400 });
    const cells = () =>
      page.evaluate(() =>
        [...document.querySelectorAll("tr")].map((row) =>
          [...row.children].map((cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
            return { text: cell.textContent, lines, align: getComputedStyle(cell).textAlign };
          }),
        ),
      );
    const expected = [
      ["left", "right", "right", "right", "right", "right", "left"],
      ["left", "right", "right"],
    ];
    for (const media of ["screen", "print"] as const) {
      await page.emulateMedia({ media });
      const found = await cells();
      for (const row of found) {
        assert.deepEqual(
          row.map(({ align }) => align),
          expected[row.length === 7 ? 0 : 1],
        );
        for (const { text, lines } of row) if (/\d/.test(text ?? "")) assert.ok(lines <= 1, `${media}: ${text}`);
      }
    }
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.ok(
      await page.evaluate(() =>
        [...document.querySelectorAll("table")].every((each) => each.getBoundingClientRect().width <= 641),
      ),
    );
  });

  test("a long line of code has a visible scrollbar", async (context) => {
    const seen = await chromium.launch({
      executablePath: executablePath!,
      args: ["--no-sandbox", "--disable-gpu", "--enable-features=OverlayScrollbar"],
      ignoreDefaultArgs: ["--hide-scrollbars"],
    });
    context.after(() => seen.close());
    const file = path.join(temporaryFolder(), "page.html");
    writeFileSync(
      file,
      await render(parseNotebook(notebookJson([code(`const long = "${"x".repeat(300)}";`), code("1")]), "n.ipynb")),
    );
    const page = await seen.newPage({ viewport: { width: 800, height: 600 } });
    await page.goto(pathToFileURL(file).href);
    // The border takes 2 pixels.
    const bars = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("pre")].map((pre) => pre.offsetHeight - pre.clientHeight - 2),
    );
    assert.deepEqual(bars, [10, 0]);
  });

  test("the pages of a folder share one plotly, which the full one replaces where a figure needs it", async (context) => {
    const folder = temporaryFolder();
    const sharePlotly = sharedPlotly(folder);
    const pages = [figure("bar", { y: [1] }), figure("scatterpolar", { r: [1, 2], theta: [0, 90] })];
    for (const [at, notebook] of pages.entries())
      writeFileSync(path.join(folder, `${at}.html`), await renderPage(notebook, { name: "n", folder, sharePlotly }));
    assert.deepEqual(readdirSync(folder), ["0.html", "1.html", "plotly.min.js"]);
    for (const at of [0, 1]) {
      assert.ok(statSync(path.join(folder, `${at}.html`)).size < 60_000);
      const page = await browser.newPage();
      context.after(() => page.close());
      const faults: string[] = [];
      page.on("console", (message) => faults.push(message.text()));
      await page.goto(pathToFileURL(path.join(folder, `${at}.html`)).href);
      await page.waitForSelector("figure.plotly .trace");
      assert.deepEqual(faults, []);
    }
  });

  test("text on a treemap's parts and in bars is legible, in light and dark", async (context) => {
    const parts = [
      "parameters",
      "gradients",
      "optimizer state",
      "activations",
      "attention scores",
      "temporary",
    ] as const;
    const peakParts = parts.map((cause) => ({ cause, layer: "layer", op: "Op", bytes: 100, count: 1 }));
    const treemap = treemapFigure({ peak: 600, peakParts } as unknown as Parameters<typeof treemapFigure>[0]);
    const bars = plotly({
      data: palette.map((color, at) => ({ type: "bar", x: [at], y: [9], text: ["12"], marker: { color } })),
      layout: { showlegend: false },
    });
    const notebook = parseNotebook(
      notebookJson(
        await Promise.all(
          [treemap, bars].map(async (each) => shows((await mimeBundle(each)) as Record<string, unknown>)),
        ),
      ),
      "n.ipynb",
    );
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await open(context, notebook, { colorScheme });
      await page.waitForSelector("figure.plotly .treemaplayer .slicetext");
      await page.waitForSelector("figure.plotly .barlayer .bartext");
      const ratios = await page.evaluate(() => {
        const luminance = (colour: string) => {
          const [r, g, b] = /(\d+), (\d+), (\d+)/
            .exec(colour)!
            .slice(1)
            .map((part) => {
              const value = Number(part) / 255;
              return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            });
          return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
        };
        return [...document.querySelectorAll(".slicetext, .bartext")].map((text) => {
          const surface = text.closest(".slice, .point")!.querySelector("path")!;
          const [a, b] = [text, surface].map((each) => luminance(getComputedStyle(each).fill));
          return (Math.max(a!, b!) + 0.05) / (Math.min(a!, b!) + 0.05);
        });
      });
      assert.ok(ratios.length >= 7 + palette.length);
      assert.ok(Math.min(...ratios) >= 4.5, ratios.join(" "));
    }
  });

  test("its structure is accessible: one h1, headings in order, names for figures and images", async (context) => {
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

  test("in print every section is open and figures fit", async (context) => {
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

/** Runs in the page: finds elements that extend beyond the window and are not in a scrolling box. */
function tooWide(): string[] {
  const scrolls = (element: Element | null): boolean =>
    element !== null && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element.parentElement))
    .map((element) => element.outerHTML.slice(0, 80));
}

/** Runs in the page: finds texts whose contrast with their background is below WCAG's 4.5 to 1. */
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
