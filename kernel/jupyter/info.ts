import { readFileSync } from "node:fs";
import { type Json, PROTOCOL_VERSION } from "./messages.ts";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** `kernel_info_reply`. JEP 92's names for what this kernel can do beyond the required messages. */
export function kernelInfo(): Json {
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "halftone",
    implementation_version: version,
    language_info: {
      name: "typescript",
      version: "7.0",
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      // A text, as Deno's kernel has it: runtimed's Rust crates (Zed, nteract) read a dictionary only with a version in it.
      codemirror_mode: "typescript",
      nbconvert_exporter: "script",
    },
    banner: `Halftone ${version}: TypeScript on Node.js ${process.version}. %help lists the magics.`,
    debugger: true,
    help_links: [
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
      { text: "Node.js", url: "https://nodejs.org/docs/latest/api/" },
    ],
    supported_features: ["debugger", "kernel subshells"],
  };
}
