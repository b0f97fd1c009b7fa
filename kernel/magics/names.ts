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
  { name: "%who", usage: "%who", what: "list the variables" },
  { name: "%whos", usage: "%whos", what: "list the variables with their types and values" },
  { name: "%memory", usage: "%memory", what: "show the program's memory use, native tensors included" },
  {
    name: "%types",
    usage: "%types [error|warn|off]",
    what: "show or set whether a cell with type errors runs; a cell's first line",
  },
  { name: "%reset", usage: "%reset", what: "delete all variables by restarting the program; a cell of its own" },
];

export const isMagic = (name: string): boolean => magics.some((magic) => magic.name === name);
