import type { Output } from "../../kernel/protocol/output.ts";
import type { NotebookOutput } from "./nbformat.ts";
import { StreamText } from "./stream.ts";

/**
 * Turns what cells say into the outputs of a notebook, as Jupyter's front ends do: adjacent pieces of one stream
 * become one output, a clear that waits takes effect at the next output, an update reaches every earlier display
 * of its id, in whichever cell.
 */
export class OutputLog {
  readonly #shown = new Map<string, { data: unknown; metadata: unknown }[]>();

  /** A function that takes what one cell says and keeps `outputs`, the cell's own list, up to date. */
  cell(outputs: NotebookOutput[], executionCount: () => number | null): (said: Output) => void {
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
    return (said) => {
      if (said.type === "stream") {
        write(said.name, said.text);
      } else if (said.type === "display") {
        const output = { output_type: "display_data" as const, data: said.data, metadata: said.metadata };
        add(output);
        if (said.displayId !== undefined) this.#remember(said.displayId, output);
      } else if (said.type === "update") {
        for (const output of this.#shown.get(said.displayId) ?? []) {
          output.data = said.data;
          output.metadata = said.metadata;
        }
      } else if (said.type === "clear") {
        if (said.wait) clearNext = true;
        else outputs.length = 0;
      } else if (said.type === "result") {
        add({
          output_type: "execute_result",
          data: said.data,
          metadata: said.metadata,
          execution_count: executionCount(),
        });
      } else {
        add({ output_type: "error", ename: said.ename, evalue: said.evalue, traceback: said.traceback });
      }
    };
  }

  #remember(id: string, output: { data: unknown; metadata: unknown }): void {
    const known = this.#shown.get(id);
    if (known) known.push(output);
    else this.#shown.set(id, [output]);
  }
}
