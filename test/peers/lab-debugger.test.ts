/** JupyterLab's debugger on this kernel, with the mouse and the keyboard. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLab } from "./lab.ts";

const cells = [
  `import { tensor } from "halftone";
const weights = tensor([[1, 2], [3, 4]]);`,
  `function scale(factor: number) {
  let scaled = weights.mul(factor);
  const total = scaled.sum();
  return total;
}
let factor: number = 2;
const result = scale(factor);
result`,
];

const { page, open, cell, output, runCell, shoot } = await startLab(
  { "debug.ipynb": cells },
  { width: 1500, height: 1100 },
);
const stack = page.locator(".jp-DebuggerCallstack-body");
const variables = page.locator(".jp-DebuggerVariables-body");

test("the bug icon of a notebook turns the debugger on", { timeout: 90_000 }, async () => {
  await open("debug.ipynb");
  await runCell(0);
  await cell(0).locator(".jp-InputPrompt", { hasText: "[1]" }).waitFor();
  const bug = page.locator(".jp-DebuggerBugButton").first();
  await page.locator('.jp-DebuggerBugButton[aria-disabled="false"]').first().waitFor();
  await bug.click();
  await page.locator(".jp-DebuggerSidebar").or(page.locator(".jp-DebuggerCallstack")).first().waitFor();
  await shoot("debug-1-on");
});

test("without a stop the panel lists the variables of cells", { timeout: 60_000 }, async () => {
  await variables.getByText("weights").first().waitFor();
  await variables
    .getByText(/Tensor float32 \[2, 2\]/)
    .first()
    .waitFor();
});

test("a click in the gutter sets a breakpoint, at which the cell stops with its stack and a tensor", {
  timeout: 90_000,
}, async () => {
  await cell(1).locator(".cm-content").click();
  await cell(1).locator(".cm-gutter.cm-breakpoint-gutter .cm-gutterElement").nth(2).click();
  await page.locator(".jp-DebuggerBreakpoint").first().waitFor();
  await runCell(1);
  await stack.getByText("scale").first().waitFor();
  await stack
    .getByText(/cell \[2\]/)
    .first()
    .waitFor();
  await variables.getByText("scaled").first().waitFor();
  await shoot("debug-2-stopped");
  assert.equal(await cell(1).locator(".jp-DebuggerEditor-highlight, .cm-line.jp-DebuggerEditor-highlight").count(), 1);
});

test("F10 steps to the next line: the tensor that the line has made is shown as what it is", {
  timeout: 60_000,
}, async () => {
  await page.keyboard.press("F10");
  await variables
    .getByText(/Tensor float32 \[2, 2\], .*\[\[2, 4\], \[6, 8\]\]/)
    .first()
    .waitFor();
  await shoot("debug-3-stepped");
});

test("an assignment in the debug console changes a variable, and the cell goes on with it", {
  timeout: 60_000,
}, async () => {
  await page.locator('[data-jp-item-name="evaluate"]').click();
  await page.locator(".jp-CodeConsole-promptCell .cm-content").click();
  await page.keyboard.type("scaled = weights.mul(10)");
  await page.keyboard.press("Shift+Enter");
  await variables
    .getByText(/\[\[10, 20\], \[30, 40\]\]/)
    .first()
    .waitFor();
  await shoot("debug-4-changed");
  await page.keyboard.press("F9");
  await output(1).getByText("100").first().waitFor();
  await shoot("debug-5-continued");
});
