/** What the host offers to the library's widgets: their comms, their cells, and the answer to a page that was loaded again. */
import type { Line, WidgetHost } from "../../../src/widgets/host.ts";
import { describeSymbol, type Registered, registeredWidgets } from "../../../src/widgets/registry.ts";
import { describeSafely } from "../errors/errors.ts";
import { reportLate } from "../errors/late.ts";
import { eachEntry } from "../passive.ts";
import { defineProperty } from "../primordials.ts";
import { render } from "../render/value.ts";
import { currentCell } from "../run/cells.ts";
import { isInterrupt } from "../run/keyboard-interrupt.ts";
import { capture } from "./capture.ts";
import { comm, registerOwn } from "./comm.ts";

const TARGET = "jupyter.widget";
const CONTROL = "jupyter.widget.control";
const VERSION = "2.1.0";

type Models = typeof import("../../../src/widgets/models.ts");

let models: Models | undefined;
let frontEndHasWidgets = false;

/** The classes of widgets, once a front end with widgets has connected, which it shows by opening the control comm. */
export function widgetModels(): Models | undefined {
  return frontEndHasWidgets ? models : undefined;
}

/** What an earlier run of the cell has made. */
export function widgetsOf(key: string | undefined): Registered[] {
  const found: Registered[] = [];
  if (key === undefined) return found;
  try {
    eachEntry(registeredWidgets(), (widget, id) => {
      if (comm.find(id as string)?.cellKey === key) found[found.length] = widget as Registered;
    });
  } catch {
    // User code has changed what the library keeps its widgets in.
  }
  return found;
}

/** A person's class may have its own `close`, whose errors are shown. */
export function closeAll(widgets: readonly Registered[]): void {
  for (let index = 0; index < widgets.length; index++) {
    try {
      widgets[index]!.close();
    } catch (error) {
      reportLate(error);
    }
  }
}

export function installWidgets(hostName: string): void {
  const host: WidgetHost = {
    open: openLine,
    report: reportLate,
    isShown: () => frontEndHasWidgets && currentCell()?.attended === true,
    isAttended: () => currentCell()?.attended === true,
    beforeCellEnds(action) {
      const cell = currentCell();
      if (!cell || cell.settled) return false;
      cell.beforeEnd[cell.beforeEnd.length] = action;
      return true;
    },
    capture,
    describe: (error) => (isInterrupt(error) ? undefined : describeSafely(error)),
    browserCode: (code) => browserCode(code, hostName),
    render: async (value) => render(value),
  };
  defineProperty(globalThis, Symbol.for("halftone.widgetHost"), { value: Object.freeze(host), enumerable: false });
  registerOwn(CONTROL, async (control) => {
    control.onMessage(({ data }) => {
      if (data.method === "request_states") control.send(...statesOfAll());
    });
    models ??= await import("../../../src/widgets/models.ts");
    frontEndHasWidgets = true;
  });
}

function openLine(data: object, buffers: Uint8Array[]): Line {
  const line = comm.open(TARGET, { ...data }, { metadata: { version: VERSION }, buffers });
  line.onClose(() => {
    // A front end without widgets closes comms of unknown targets.
    if ([...registeredWidgets().keys()].every((id) => !comm.find(id))) frontEndHasWidgets = false;
  });
  return line;
}

/** A cell's code without the host: it marks awaits and loads imports. */
function browserCode(code: string, hostName: string): string {
  const mark = `const ${hostName} = { awaited: (value) => value, waits: (line, column, value) => value };\n`;
  const plain = code.replaceAll(new RegExp(`${hostName}\\.dynamic\\(\\d+\\)\\(`, "g"), "import(");
  return plain.includes(hostName) ? mark + plain : plain;
}

/** `update_states` of the control comm. */
function statesOfAll(): [data: Record<string, unknown>, options: { buffers: Uint8Array[] }] {
  const states: Record<string, unknown> = {};
  const paths: unknown[] = [];
  const all: Uint8Array[] = [];
  for (const [id, widget] of registeredWidgets()) {
    const { identity, state, bufferPaths, buffers } = widget[describeSymbol]();
    states[id] = { ...identity, state };
    for (const path of bufferPaths) paths.push([id, "state", ...path]);
    all.push(...buffers);
  }
  return [{ method: "update_states", states, buffer_paths: paths }, { buffers: all }];
}
