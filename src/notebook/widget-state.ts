/** Keeps the state of a notebook's widgets from their comm messages, for the notebook's metadata. */
import type { CommMessage } from "../../kernel/protocol/output.ts";

/** The key in a notebook's `metadata.widgets`. */
export const WIDGET_STATE = "application/vnd.jupyter.widget-state+json";

type Path = (string | number)[];

interface Buffer {
  encoding: "base64";
  path: Path;
  data: string;
}

interface Model {
  model_name: string;
  model_module: string;
  model_module_version: string;
  state: Record<string, unknown>;
  buffers: Buffer[];
}

/** The document of the schema "Widget State" (jupyter-widgets, version 2.0), which nbconvert, Quarto and `halftone report` read. */
export interface WidgetState {
  version_major: 2;
  version_minor: 0;
  state: Record<string, Omit<Model, "buffers"> & { buffers?: Buffer[] }>;
}

export class WidgetLog {
  readonly #models = new Map<string, Model>();

  /** Applies a message of any comm. */
  add({ action, id, target, data, buffers }: CommMessage): void {
    const state = data.state as Record<string, unknown> | undefined;
    if (action === "open" && target === "jupyter.widget" && state) {
      const { _model_name, _model_module, _model_module_version } = state;
      this.#models.set(id, {
        model_name: String(_model_name),
        model_module: String(_model_module),
        model_module_version: String(_model_module_version),
        state: {},
        buffers: [],
      });
    }
    if (action === "close") this.#models.delete(id);
    const model = this.#models.get(id);
    if (!model || !state || (action === "message" && data.method !== "update")) return;
    const paths = (data.buffer_paths ?? []) as Path[];
    // An attribute that comes anew replaces its old bytes.
    const sent = new Set([...Object.keys(state), ...paths.map(([name]) => String(name))]);
    model.buffers = model.buffers.filter(({ path: [name] }) => !sent.has(String(name)));
    for (const name of sent) delete model.state[name];
    Object.assign(model.state, state);
    for (const [index, path] of paths.entries())
      model.buffers.push({ encoding: "base64", path, data: buffers[index] ?? "" });
  }

  /** The state of the widgets that are open; undefined without any. */
  get document(): WidgetState | undefined {
    if (this.#models.size === 0) return undefined;
    const state: WidgetState["state"] = {};
    for (const [id, { buffers, ...model }] of this.#models)
      state[id] = buffers.length > 0 ? { ...model, buffers } : model;
    return { version_major: 2, version_minor: 0, state };
  }
}
