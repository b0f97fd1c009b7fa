/** A widget of one's own (anywidget) in a report: its code with its saved state, as HTML that runs in a frame of its own. */
import { transformSync } from "esbuild";
import { inScript, jsonInScript } from "../../display/content-policy.ts";
import type { WidgetState } from "../widget-state.ts";

type Model = WidgetState["state"][string];

export const isAnyWidget = ({ model_module, state }: Model): boolean =>
  model_module === "anywidget" && typeof state?._esm === "string";

/** Undefined for code that cannot be compiled. */
export function anyWidgetHtml({ state, buffers = [] }: Model): string | undefined {
  const { _esm, _css, ...rest } = state;
  try {
    const { code } = transformSync(_esm as string, { format: "iife", globalName: "widgetCode", target: "es2022" });
    const call = `(${mount})(widgetCode.default, ${jsonInScript(rest)}, ${jsonInScript(buffers)});`;
    const style = typeof _css === "string" ? `<style>${_css.replaceAll("</", "<\\/")}</style>` : "";
    return `${style}<div id="widget"></div><script>(() => {\n${inScript(code)}\n${call}\n})();</script>`;
  } catch {
    return undefined;
  }
}

interface PageCode {
  initialize?(view: object): unknown;
  render?(view: object): unknown;
}

/** Runs in the frame, as text: it uses nothing of this file. Changes stay in the page. */
async function mount(
  given: PageCode | (() => PageCode),
  state: Record<string, unknown>,
  buffers: readonly { path: (string | number)[]; data: string }[],
): Promise<void> {
  for (const { path, data } of buffers) {
    let at = state as Record<string | number, unknown>;
    for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
    at[path.at(-1)!] = new DataView(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)).buffer);
  }
  const listeners = new Map<string, (() => void)[]>();
  const model = {
    get: (name: string) => state[name],
    set(name: string, value: unknown) {
      if (Object.is(state[name], value)) return;
      state[name] = value;
      for (const event of [`change:${name}`, "change"]) for (const listener of listeners.get(event) ?? []) listener();
    },
    save_changes() {},
    send() {},
    on(event: string, listener: () => void) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    },
    off(event: string, listener?: () => void) {
      listeners.set(event, listener ? (listeners.get(event) ?? []).filter((each) => each !== listener) : []);
    },
  };
  const code = typeof given === "function" ? given() : given;
  const { signal } = new AbortController();
  await code.initialize?.({ model, signal });
  await code.render?.({ model, signal, el: document.getElementById("widget") });
}
