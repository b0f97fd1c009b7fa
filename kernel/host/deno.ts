/** The `Deno` of a cell, for notebooks written for Deno's kernel: `Deno.jupyter`, and those members that need nothing of Deno itself. */
import { readFileSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import type { MimeBundle } from "../protocol/output.ts";
import { comm } from "./io/comm.ts";
import { clearOutput } from "./io/console.ts";
import { display as show } from "./io/display.ts";
import { intrinsics } from "./primordials.ts";
import { image as imageBundle } from "./render/media.ts";
import { render } from "./render/value.ts";

const $display = Symbol.for("Jupyter.display");

/** What a cell shows by its mime bundle. */
export interface Displayable {
  [$display]: () => MimeBundle;
}

export interface DisplayOptions {
  /** The value is a mime bundle already. */
  raw?: boolean;
  /** Replaces the output with this `display_id`. */
  update?: boolean;
  display_id?: string;
}

type Tag = (texts: TemplateStringsArray, ...values: unknown[]) => Displayable;

function displayable(bundle: MimeBundle): Displayable {
  return { [$display]: () => bundle };
}

function tag(type: string): Tag {
  return (texts, ...values) =>
    displayable({ [type]: texts.reduce((text, next, index) => `${text}${values[index - 1] ?? ""}${next}`) });
}

async function display(value: unknown, { raw, update, display_id }: DisplayOptions = {}): Promise<void> {
  const bundle = raw && typeof value === "object" && value !== null ? (value as MimeBundle) : await render(value);
  show(bundle, {
    ...(update === undefined ? {} : { update }),
    ...(display_id === undefined ? {} : { displayId: display_id }),
  });
}

/** A PNG or JPEG image, given as its bytes or the path of its file. */
function image(value: string | Uint8Array): Displayable {
  const bundle = imageBundle(typeof value === "string" ? readFileSync(value) : value);
  if (!bundle)
    throw new intrinsics.TypeError("Deno.jupyter.image: expected the bytes or the path of a PNG or JPEG image");
  return displayable(bundle);
}

interface Broadcast {
  data?: MimeBundle;
  metadata?: Record<string, unknown>;
  transient?: { display_id?: string };
  wait?: boolean;
  name?: string;
  text?: string;
  comm_id?: string;
  target_name?: string;
}

/** Sends a message of Jupyter's protocol to the front ends. */
async function broadcast(
  type: string,
  content: Record<string, unknown>,
  { metadata = {}, buffers = [] }: { metadata?: Record<string, unknown>; buffers?: Uint8Array[] } = {},
): Promise<void> {
  const given = content as Broadcast;
  const id = given.transient?.display_id;
  const options = { metadata: given.metadata ?? {}, ...(id === undefined ? {} : { displayId: id }) };
  switch (type) {
    case "display_data":
    case "execute_result":
      return show(given.data ?? {}, options);
    case "update_display_data":
      return show(given.data ?? {}, { ...options, update: true });
    case "clear_output":
      return clearOutput({ wait: given.wait === true });
    case "stream":
      return void (given.name === "stderr" ? process.stderr : process.stdout).write(`${given.text ?? ""}`);
    case "comm_open":
      comm.open(given.target_name ?? "", given.data, {
        metadata,
        buffers,
        ...(given.comm_id === undefined ? {} : { id: given.comm_id }),
      });
      return;
    case "comm_msg":
    case "comm_close": {
      const opened = comm.find(given.comm_id ?? "");
      if (!opened) throw new intrinsics.Error(`Deno.jupyter.broadcast: no comm ${given.comm_id} is open`);
      return type === "comm_msg"
        ? opened.send(given.data ?? {}, { metadata, buffers })
        : opened.close(given.data ?? {});
    }
    default:
      throw new intrinsics.Error(
        `Deno.jupyter.broadcast: this kernel sends display_data, update_display_data, clear_output, stream and comm messages, got ${type}`,
      );
  }
}

const api = {
  jupyter: {
    display,
    broadcast,
    image,
    md: tag("text/markdown"),
    html: tag("text/html"),
    svg: tag("image/svg+xml"),
    /** The mime bundle by which a cell shows the value. */
    format: async (value: unknown): Promise<MimeBundle> => render(value),
    $display,
  } as const,
  version: { deno: "none: this is Halftone's kernel on Node", v8: process.versions.v8, typescript: "7.0" },
  build: { os: process.platform, arch: process.arch },
  pid: process.pid,
  args: [] as string[],
  cwd: (): string => process.cwd(),
  inspect: (value: unknown): string => inspect(value),
  env: {
    get: (name: string): string | undefined => process.env[name],
    set: (name: string, value: string): void => {
      process.env[name] = value;
    },
    has: (name: string): boolean => process.env[name] !== undefined,
    delete: (name: string): void => {
      delete process.env[name];
    },
    toObject: (): Record<string, string | undefined> => ({ ...process.env }),
  },
  readTextFile: (file: string | URL): Promise<string> => readFile(file, "utf8"),
  readTextFileSync: (file: string | URL): string => readFileSync(file, "utf8"),
  readFile: (file: string | URL): Promise<Uint8Array> => readFile(file),
  readFileSync: (file: string | URL): Uint8Array => readFileSync(file),
  writeTextFile: (file: string | URL, text: string): Promise<void> => writeFile(file, text),
  writeTextFileSync: (file: string | URL, text: string): void => writeFileSync(file, text),
  writeFile: (file: string | URL, bytes: Uint8Array): Promise<void> => writeFile(file, bytes),
  writeFileSync: (file: string | URL, bytes: Uint8Array): void => writeFileSync(file, bytes),
};

/**
 * Only cells see it, because libraries ask `typeof Deno` to find out where they run. Another member is an error that says what
 * to do.
 */
export const Deno: typeof api = new Proxy(api, {
  get(target, name, receiver) {
    if (typeof name === "symbol" || name in target) return Reflect.get(target, name, receiver) as unknown;
    throw new intrinsics.TypeError(
      `Deno.${name} is not offered by this kernel, which runs on Node: use Node's modules, such as node:fs`,
    );
  },
});
