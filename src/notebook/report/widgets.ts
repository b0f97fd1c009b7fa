/** Widgets in a report: their saved state, and Jupyter's own code that shows them without a kernel. */

import { isObject } from "../../base/json-schema.ts";
import { type NpmPackage, npmPackage } from "../../data/packages/npm-package.ts";
import { tarFiles } from "../../data/packages/tar.ts";
import { inScript, jsonInScript } from "../../display/content-policy.ts";
import type { Notebook } from "../nbformat.ts";
import { WIDGET_STATE, type WidgetState } from "../widget-state.ts";
import { anyWidgetHtml, isAnyWidget } from "./any-widget.ts";
import { PLOTLY } from "./figure.ts";

export const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";

/** Not a dependency, because it brings 130 packages and most reports have no widgets. */
const PACKAGE: NpmPackage = {
  name: "@jupyter-widgets/html-manager",
  version: "1.0.15",
  sha512: "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
  megabytes: 5,
};
const FOLDER = "package/dist/";
const FILE = "embed.js";
/** The icons of buttons: Font Awesome's solid and regular fonts. */
const FONTS = ["1551f4f60c37af51121f.woff2", "7a3337626410ca2f4071.woff2"];

type Models = WidgetState["state"];

/** The widgets of a page. */
export class WidgetViews {
  readonly #document: WidgetState | undefined;
  /** Jupyter's code, where the page needs it. It compiles its schema, so the policy must allow that. */
  readonly script: string | undefined;
  /** Why widgets are shown as text. */
  readonly problem: string | undefined;

  private constructor(document?: WidgetState, script?: string, problem?: string) {
    this.#document = document;
    this.script = script;
    this.problem = problem;
  }

  /** Reads the notebook's saved state. npm downloads Jupyter's code the first time that an output shows one of its widgets. */
  static async of(notebook: Notebook): Promise<WidgetViews> {
    const saved = (notebook.metadata.widgets as Record<string, unknown> | undefined)?.[WIDGET_STATE];
    if (!isDocument(saved)) return new WidgetViews();
    if (!shownIn(notebook).some((id) => isJupyters(saved.state[id]))) return new WidgetViews(saved);
    try {
      return new WidgetViews(saved, inScript(selfContained(await npmPackage(PACKAGE))));
    } catch (error) {
      return new WidgetViews(saved, undefined, error instanceof Error ? error.message : String(error));
    }
  }

  /** HTML with a script, for a frame, of a widget of one's own. */
  frame(view: unknown): string | undefined {
    const model = this.#modelOf(view);
    return model && isAnyWidget(model) ? anyWidgetHtml(model) : undefined;
  }

  /** The place of one of Jupyter's widgets; undefined when it cannot be shown, so that its text is. */
  place(view: unknown): string | undefined {
    if (!this.script || !isJupyters(this.#modelOf(view))) return undefined;
    const place = jsonInScript({ version_major: 2, version_minor: 0, model_id: idOf(view) });
    return `<div class="widget"><script type="${WIDGET_VIEW}">${place}</script></div>`;
  }

  /** The state and the code as elements of the page. */
  html(page: PageParts): string {
    if (!this.script || !this.#document) return "";
    const models = Object.entries(this.#document.state).map(([id, model]) => [id, shownByJupyter(model, page)]);
    const state = jsonInScript({ ...this.#document, state: Object.fromEntries(models) });
    return `<script type="${WIDGET_STATE}">${state}</script><script>${this.script}</script>`;
  }

  #modelOf(view: unknown): Models[string] | undefined {
    const id = idOf(view);
    return this.#document && id !== undefined && Object.hasOwn(this.#document.state, id)
      ? this.#document.state[id]
      : undefined;
  }
}

/** Jupyter's code with its fonts inside, for a script element without an address. */
function selfContained(archive: Buffer): string {
  const files = new Map(Array.from(tarFiles(archive), ({ path, contents }) => [path, contents]));
  const fileOf = (name: string): Buffer => {
    const found = files.get(FOLDER + name);
    if (!found) throw new Error(`${PACKAGE.name} ${PACKAGE.version} has no ${FOLDER}${name}`);
    return found;
  };
  let source = fileOf(FILE).toString("utf8");
  for (const name of FONTS) {
    const data = JSON.stringify(`data:font/woff2;base64,${fileOf(name).toString("base64")}`);
    source = source.replaceAll(new RegExp(`\\w+\\.p\\+"${name}"`, "g"), data);
  }
  // The code looks for its own address, which it needs only for fonts that the page does not load.
  return `document.currentScript.src = "widgets:/";\n${source}`;
}

/** How the page shows what Jupyter's code cannot show. */
interface PageParts {
  /** HTML with scripts, in a frame of its own. */
  frame(html: string): string;
  figure(data: object): string;
}

/**
 * The model as Jupyter's code can show it, which has no code of others' widgets and no plotly: a widget of one's own, which may be
 * inside a box, becomes a text with its frame, and a figure among captured outputs HTML.
 */
function shownByJupyter(model: Models[string], page: PageParts): Models[string] {
  if (model.model_name === "OutputModel" && Array.isArray(model.state.outputs))
    return { ...model, state: { ...model.state, outputs: model.state.outputs.map((each) => withFigure(each, page)) } };
  const html = isAnyWidget(model) ? anyWidgetHtml(model) : undefined;
  if (html === undefined) return model;
  const names = { model: "HTMLModel", view: "HTMLView", module: "@jupyter-widgets/controls", version: "2.0.0" };
  return {
    model_name: names.model,
    model_module: names.module,
    model_module_version: names.version,
    state: {
      _model_name: names.model,
      _model_module: names.module,
      _model_module_version: names.version,
      _view_name: names.view,
      _view_module: names.module,
      _view_module_version: names.version,
      layout: model.state.layout,
      value: page.frame(html),
    },
  };
}

function withFigure(output: { data?: Record<string, unknown> }, page: PageParts): object {
  const { [PLOTLY]: figure, ...others } = output.data ?? {};
  return isObject(figure) ? { ...output, data: { ...others, "text/html": page.figure(figure) } } : output;
}

function isDocument(saved: unknown): saved is WidgetState {
  const state = (saved as WidgetState | undefined)?.state;
  return typeof state === "object" && state !== null;
}

const isJupyters = (model: Models[string] | undefined): boolean =>
  String(model?.model_module).startsWith("@jupyter-widgets/");

function idOf(view: unknown): string | undefined {
  const id = (view as { model_id?: unknown } | undefined)?.model_id;
  return typeof id === "string" ? id : undefined;
}

/** The ids of the widgets in outputs. */
function shownIn(notebook: Notebook): string[] {
  return notebook.cells
    .flatMap((cell) => (cell.cell_type === "code" ? cell.outputs : []))
    .map((output) => ("data" in output ? idOf((output.data as Record<string, unknown>)[WIDGET_VIEW]) : undefined))
    .filter((id) => id !== undefined);
}
