import { StreamText } from "./stream-text.ts";

type Bundle = Record<string, unknown>;

/** An output as the kernel sends it. */
export type OutputMessage =
  | { type: "stream"; name: "stdout" | "stderr"; text: string }
  | { type: "display"; data: Bundle; metadata: Bundle; displayId?: string }
  | { type: "update"; data: Bundle; metadata: Bundle; displayId: string }
  | { type: "clear"; wait: boolean }
  | { type: "result"; data: Bundle; metadata: Bundle }
  | { type: "error"; ename: string; evalue: string; traceback: string[] };

/** An output as a notebook keeps it (nbformat 4.5). */
export type NotebookOutput =
  | { output_type: "stream"; name: "stdout" | "stderr"; text: string }
  | { output_type: "display_data"; data: Bundle; metadata: Bundle }
  | { output_type: "execute_result"; data: Bundle; metadata: Bundle; execution_count: number | null }
  | { output_type: "error"; ename: string; evalue: string; traceback: string[] };

/**
 * Converts a kernel's output messages to notebook outputs like Jupyter's front ends: adjacent pieces of one stream become one output,
 * a clear with `wait` takes effect at the next output, and an update changes every earlier display with its id in any cell.
 */
export class OutputLog {
  readonly #displays = new Map<string, { data: unknown; metadata: unknown }[]>();

  /** Returns a function that applies one cell's messages to `outputs`, the cell's list of outputs. */
  cell(outputs: NotebookOutput[], executionCount: () => number | null): (message: OutputMessage) => void {
    let clearNext = false;
    let stream = new StreamText();
    const add = (output: NotebookOutput) => {
      if (clearNext) outputs.length = 0;
      clearNext = false;
      outputs.push(output);
    };
    const write = (name: "stdout" | "stderr", text: string) => {
      const last = clearNext ? undefined : outputs.at(-1);
      if (last?.output_type === "stream" && last.name === name) {
        last.text = stream.append(text);
      } else {
        stream = new StreamText();
        add({ output_type: "stream", name, text: stream.append(text) });
      }
    };
    return (message) => {
      if (message.type === "stream") {
        write(message.name, message.text);
      } else if (message.type === "display") {
        const output = { output_type: "display_data" as const, data: message.data, metadata: message.metadata };
        add(output);
        if (message.displayId !== undefined) this.#remember(message.displayId, output);
      } else if (message.type === "update") {
        for (const output of this.#displays.get(message.displayId) ?? []) {
          output.data = message.data;
          output.metadata = message.metadata;
        }
      } else if (message.type === "clear") {
        if (message.wait) clearNext = true;
        else outputs.length = 0;
      } else if (message.type === "result") {
        add({
          output_type: "execute_result",
          data: message.data,
          metadata: message.metadata,
          execution_count: executionCount(),
        });
      } else {
        add({ output_type: "error", ename: message.ename, evalue: message.evalue, traceback: message.traceback });
      }
    };
  }

  #remember(id: string, output: { data: unknown; metadata: unknown }): void {
    const known = this.#displays.get(id);
    if (known) known.push(output);
    else this.#displays.set(id, [output]);
  }
}
