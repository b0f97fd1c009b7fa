/** What a page knows of a notebook's widgets: it reads their comms and sends what a person changes. */
import type { CommMessage } from "../../kernel/protocol/output.ts";
import { type Notebook, openNotebook, type Ran } from "../kernel/fixture.ts";

export interface Model {
  id: string;
  state: Record<string, unknown>;
  closed: boolean;
}

export interface FrontEnd extends Notebook {
  /** The models so far, in the order in which they were made. */
  models: Model[];
  /** The newest model with this name, such as `IntSlider`. */
  model(name: string): Model;
  /** All messages of the models' comms so far. */
  messages: CommMessage[];
  /** Runs a cell of which no person can answer questions, as `halftone run` does. */
  unattended(code: string): Promise<Ran>;
  /** Sends a message to a model's comm, and waits until the host has read it. */
  send(model: Model, data: object, buffers?: Uint8Array[]): Promise<void>;
  /** A person changes a widget. */
  change(model: Model, state: object): Promise<void>;
}

/** A notebook whose cells can import the library, and a page that shows it. */
export function openFrontEnd(options: Parameters<typeof openNotebook>[0] = {}): FrontEnd {
  const notebook = openNotebook(options);
  const models: Model[] = [];
  const messages: CommMessage[] = [];
  const onComm = (message: CommMessage): void => {
    messages.push(message);
    const { action, id, data } = message;
    const state = data.state as Record<string, unknown>;
    const model = models.find((each) => each.id === id);
    if (action === "open") models.push({ id, state, closed: false });
    else if (action === "close" && model) model.closed = true;
    else if (data.method === "update" && model) Object.assign(model.state, state);
  };
  notebook.session.onComm = onComm;
  const person = { onInput: async () => "", onComm };
  const send: FrontEnd["send"] = async ({ id }, data, buffers = []) => {
    const text = buffers.map((each) => Buffer.from(each).toString("base64"));
    await notebook.session.call("comm", { action: "message", id, data, metadata: {}, buffers: text });
  };
  return {
    ...notebook,
    start: (code, given) => notebook.start(code, { ...person, ...given }),
    run: (code, given): Promise<Ran> => notebook.run(code, { ...person, ...given }),
    unattended: (code) => notebook.run(code, { onComm }),
    models,
    messages,
    model: (name) => {
      const found = models.findLast(({ state }) => state._model_name === `${name}Model`);
      if (!found) throw new Error(`no model ${name} among ${models.map(({ state }) => state._model_name).join(", ")}`);
      return found;
    },
    send,
    change: (model, state) => send(model, { method: "update", state, buffer_paths: [] }),
  };
}
