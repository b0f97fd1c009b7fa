import { exportNotebook as toModule } from "../../kernel/check/export.ts";
import { requireWritable, writeWhole } from "../base/files.ts";
import { requireTypeScript } from "../notebook/language.ts";
import { readNotebook } from "../notebook/nbformat.ts";

/** `halftone export`: writes the notebook as a TypeScript module, beside it or at `-o`. */
export async function exportNotebook(file: string, { output }: { output?: string }): Promise<void> {
  const notebook = readNotebook(file);
  requireTypeScript(notebook, file);
  const target = output ?? file.replace(/\.ipynb$/, ".ts");
  if (target !== "-") requireWritable(target);
  const { text, silenced } = await toModule(notebook, file);
  if (silenced > 0)
    console.error(
      `${silenced} ${silenced === 1 ? "line is" : "lines are"} marked @ts-expect-error, with the reason beside it`,
    );
  if (target === "-") {
    process.stdout.write(text);
    return;
  }
  writeWhole(target, text);
  console.log(target);
}
