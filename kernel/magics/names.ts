/** The global that a rewritten cell calls in the host. It stands here, because the host loads no parser for it. */
export const MAGICS = "__halftone_magics";

export interface Magic {
  /** As it is typed: `%time`, `%%bash`, `!`. */
  name: string;
  usage: string;
  what: string;
}

/** All magics, in the order of `%help`. */
export const magics: readonly Magic[] = [
  { name: "%help", usage: "%help", what: "list the magics" },
  { name: "%time", usage: "%time CODE", what: "run one line and print the elapsed time" },
  { name: "%%time", usage: "%%time", what: "print the cell's elapsed time" },
  {
    name: "%timeit",
    usage: "%timeit CODE",
    what: "run one line many times and print the mean and deviation of 7 runs",
  },
  { name: "%env", usage: "%env [NAME[=VALUE]]", what: "list, show or set environment variables" },
  { name: "%cd", usage: "%cd FOLDER", what: "change the working folder (- for the previous one)" },
  { name: "!", usage: "!COMMAND", what: "run a shell command" },
  { name: "%%bash", usage: "%%bash", what: "run the cell as a bash script; the cell fails when the script does" },
  { name: "%%html", usage: "%%html", what: "show the cell as HTML" },
  { name: "%%markdown", usage: "%%markdown", what: "show the cell as Markdown" },
  { name: "%%writefile", usage: "%%writefile [-a] FILE", what: "write the cell to a file (-a: add to it)" },
  { name: "%who", usage: "%who [TYPE...]", what: "list the variables, or those of types such as Tensor, Map, number" },
  { name: "%whos", usage: "%whos [TYPE...]", what: "list the variables with their types, memory and values" },
  { name: "%memory", usage: "%memory", what: "show the program's memory use, native tensors included" },
  {
    name: "%types",
    usage: "%types [error|warn|off]",
    what: "show or set whether a cell with type errors runs; a cell's first line",
  },
  {
    name: "%import",
    usage: "%import NAME...",
    what: "import names of halftone or of Node's modules, and print the line that does so",
  },
  {
    name: "%autoreload",
    usage: "%autoreload",
    what: "nothing to do: a file that a cell imports is loaded again when it has changed",
  },
  {
    name: "%install",
    usage: "%install [--scripts NAME] PACKAGE...",
    what: "install npm packages (lodash, lodash@4) for this notebook; --scripts: let this package run its install script",
  },
  {
    name: "%stale",
    usage: "%stale [on|off]",
    what: "list the cells whose outputs are out of date, and why; on, off: whether cells name them after a run; a cell of its own",
  },
  { name: "%run", usage: "%run stale", what: "run the stale cells again, in order; a cell of its own" },
  { name: "%reset", usage: "%reset", what: "delete all variables by restarting the program; a cell of its own" },
];

export const isMagic = (name: string): boolean => magics.some((magic) => magic.name === name);

/** Magics that the session answers; each is the only line of its cell. */
export const ownCell: readonly string[] = ["%stale", "%run", "%reset"];
