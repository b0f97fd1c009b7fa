/**
 * Models of Jupyter widgets. Their state is kept here, and the front end draws them (jupyter.widget comm protocol, 2.1.0).
 * Only the models that a progress bar needs are used. Other widgets would need only other model names.
 */
import { type Comm, type CommData, comm } from "./comm.ts";

const TARGET = "jupyter.widget";
const CONTROL = "jupyter.widget.control";
export const WIDGET_MIME = "application/vnd.jupyter.widget-view+json";

const models = new Map<string, Model>();
let frontEndHasWidgets = false;

/** Whether a front end with widgets has connected, which it shows by opening the control comm. */
export function hasWidgets(): boolean {
  return frontEndHasWidgets;
}

/** Sends the state of every model, which the front end requests after a page reload. */
export function answerWidgetControl(): void {
  comm.register(CONTROL, (control) => {
    frontEndHasWidgets = true;
    control.onMessage(({ data }) => {
      if (data.method !== "request_states") return;
      const states = Object.fromEntries([...models].map(([id, model]) => [id, model.description]));
      control.send({ method: "update_states", states, buffer_paths: [] }, { buffers: [] });
    });
  });
}

export class Model {
  readonly #comm: Comm;
  readonly #state: CommData;

  /** `module` is the npm package of the front end that has the model's class and view. */
  constructor(module: "@jupyter-widgets/base" | "@jupyter-widgets/controls", name: string, state: CommData) {
    // All progress models use the same view.
    const view = name.replace(/^FloatProgress/, "Progress").replace(/Model$/, "View");
    const hasView = !/^(?:Layout|ProgressStyle|HTMLStyle)Model$/.test(name);
    this.#state = {
      _model_module: module,
      _model_module_version: "2.0.0",
      _model_name: name,
      _view_module: hasView || name === "LayoutModel" ? module : "@jupyter-widgets/base",
      _view_module_version: "2.0.0",
      _view_name: hasView || name === "LayoutModel" ? view : "StyleView",
      ...state,
    };
    this.#comm = comm.open(TARGET, { state: this.#state, buffer_paths: [] }, { metadata: { version: "2.1.0" } });
    models.set(this.#comm.id, this);
    this.#comm.onClose(() => {
      models.delete(this.#comm.id);
      // A front end without widgets closes comms of unknown targets.
      frontEndHasWidgets = models.size > 0 && frontEndHasWidgets;
    });
    this.#comm.onMessage(({ data }) => {
      if (data.method === "request_state") this.update({});
      if (data.method === "update") Object.assign(this.#state, data.state);
    });
  }

  get id(): string {
    return this.#comm.id;
  }

  /** The reference to this model in another model's state. */
  get reference(): string {
    return `IPY_MODEL_${this.id}`;
  }

  get description(): CommData {
    const { _model_module, _model_module_version, _model_name } = this.#state;
    return {
      model_module: _model_module,
      model_module_version: _model_module_version,
      model_name: _model_name,
      state: this.#state,
    };
  }

  update(changed: CommData): void {
    Object.assign(this.#state, changed);
    if (this.#comm.closed) return;
    const state = Object.keys(changed).length > 0 ? changed : this.#state;
    this.#comm.send({ method: "update", state, buffer_paths: [] });
  }
}
