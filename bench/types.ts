// What shapes cost the compiler: a 12-layer Transformer of distinct layers, and a sequential of 48 elements of distinct sizes,
// checked whole and after an edit, with the settings with which the kernel starts the language server.
// Run: node dist/bench/types.js
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const tsc = path.join(root, "node_modules/typescript/bin/tsc");

/** GPT-2's shape with every layer written out, as one would not, so that nothing is checked once for all. */
function transformer(layers: number): string {
  const each = (write: (i: number) => string) => Array.from({ length: layers }, (_, i) => write(i)).join("\n");
  return `
import { add, crossEntropy, einsum, gather, gelu, layerNorm, matmul, mul, ones, randn, rearrange, softmax, type Tensor,
  valueAndGrad, zeros } from "halftone";
const initial = {
  tokens: randn([50257, 768]), positions: randn([1024, 768]),
${each(
  (i) => `  layer${i}: { g1: ones([768]), b1: zeros([768]), wq: randn([768, 768]), wk: randn([768, 768]),
    wv: randn([768, 768]), wo: randn([768, 768]), g2: ones([768]), b2: zeros([768]), up: randn([768, 3072]),
    bu: zeros([3072]), down: randn([3072, 768]), bd: zeros([768]) },`,
)}
};
type Parameters = typeof initial;
type Tokens = Tensor<["batch", 1024], "int32">;
function model(p: Parameters, ids: Tokens, mask: Tensor<[1024, 1024]>) {
  const x0 = add(gather(p.tokens, ids), p.positions);
${each(
  (i) => `  const n${i} = layerNorm(x${i}, p.layer${i}.g1, p.layer${i}.b1);
  const q${i} = rearrange(matmul(n${i}, p.layer${i}.wq), "b t (h d) -> b h t d", { h: 12 });
  const k${i} = rearrange(matmul(n${i}, p.layer${i}.wk), "b t (h d) -> b h t d", { h: 12 });
  const v${i} = rearrange(matmul(n${i}, p.layer${i}.wv), "b t (h d) -> b h t d", { h: 12 });
  const s${i} = softmax(add(mul(einsum("b h q d, b h k d -> b h q k", q${i}, k${i}), 0.125), mask));
  const o${i} = rearrange(einsum("b h q k, b h k d -> b h q d", s${i}, v${i}), "b h t d -> b t (h d)");
  const y${i} = add(x${i}, matmul(o${i}, p.layer${i}.wo));
  const m${i} = layerNorm(y${i}, p.layer${i}.g2, p.layer${i}.b2);
  const u${i} = gelu(add(matmul(m${i}, p.layer${i}.up), p.layer${i}.bu));
  const x${i + 1} = add(y${i}, add(matmul(u${i}, p.layer${i}.down), p.layer${i}.bd));`,
)}
  return einsum("b t d, v d -> b t v", x${layers}, p.tokens);
}
export const step = valueAndGrad((p: Parameters, ids: Tokens, labels: Tokens, mask: Tensor<[1024, 1024]>) =>
  crossEntropy(model(p, ids, mask), labels));
export const logits: (...all: Parameters_) => Tensor<["batch", 1024, 50257], "float32"> = model;
type Parameters_ = [Parameters, Tokens, Tensor<[1024, 1024]>];
`;
}

/** 12 blocks of 4 elements, each of another width. */
function mlp(blocks: number): string {
  const width = (i: number) => 64 + 8 * i;
  const block = (i: number) =>
    `linear({ in: ${width(i)}, out: ${width(i + 1)} }), layerNorm({ features: ${width(i + 1)} }), gelu, dropout({ rate: 0.1 }),`;
  return `
import { dropout, gelu, layerNorm, linear, meanSquaredError, sequential, type Tensor, valueAndGrad } from "halftone";
export const net = sequential([
${Array.from({ length: blocks }, (_, i) => `  ${block(i)}`).join("\n")}
]);
type Rows = Tensor<["batch", ${width(0)}]>;
type Targets = Tensor<["batch", ${width(blocks)}]>;
export const step = valueAndGrad((p: typeof net.parameters, x: Rows, targets: Targets) =>
  meanSquaredError(net.apply(p, x), targets));
`;
}

/** A language server spoken to over its standard streams. */
class Server {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #received = Buffer.alloc(0);
  #id = 0;

  constructor() {
    this.#child = spawn(process.execPath, [tsc, "--lsp", "--stdio"], {
      env: { ...process.env, GOGC: "200" },
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#child.stdout!.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.subarray(0, end).toString())?.[1]);
      if (this.#received.length < end + 4 + length) return;
      const message = JSON.parse(this.#received.subarray(end + 4, end + 4 + length).toString());
      this.#received = this.#received.subarray(end + 4 + length);
      if (message.method === "workspace/configuration") this.#configure(message);
      else if (message.method && message.id !== undefined) this.#send({ id: message.id, result: null });
      else if (message.id !== undefined) this.#waiting.get(message.id)?.(message.result ?? message.error);
    }
  }

  /** Without its index for automatic imports, which the server builds anew at every edit. */
  #configure({ id, params }: { id: number; params: { items: unknown[] } }): void {
    this.#send({ id, result: params.items.map(() => ({ suggest: { autoImports: false } })) });
  }

  #send(message: object): void {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#child.stdin!.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  ask<T>(method: string, params: unknown): Promise<T> {
    const id = ++this.#id;
    this.#send({ id, method, params });
    return new Promise((resolve) => this.#waiting.set(id, resolve as (result: unknown) => void));
  }

  tell(method: string, params: unknown): void {
    this.#send({ method, params });
  }

  end(): void {
    this.#child.kill();
  }
}

const spread = (values: number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[0]!.toFixed(0)} ms at best, ${sorted[sorted.length >> 1]!.toFixed(0)} ms in the middle of ${sorted.length}`;
};

/** Inside dist, so that "halftone" is this package. */
mkdirSync(path.join(root, "dist/scratch"), { recursive: true });
const folder = mkdtempSync(path.join(root, "dist/scratch/types-"));
const file = path.join(folder, "model.ts");
const uri = pathToFileURL(file).href;
const options = {
  strict: true,
  module: "nodenext",
  target: "esnext",
  lib: ["esnext"],
  noEmit: true,
  skipLibCheck: true,
  types: ["node"],
};
writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));

interface Program {
  name: string;
  text: string;
  /** Replaces the first with the second, which is a type error. */
  mistake: readonly [right: string, wrong: string];
}

const programs: Program[] = [
  { name: "a 12-layer Transformer", text: transformer(12), mistake: ["p.layer5.wo)", "p.layer5.up)"] },
  { name: "a sequential of 48 elements", text: mlp(12), mistake: ["in: 104,", "in: 105,"] },
];

function checkWhole({ name, text }: Program): void {
  const times: number[] = [];
  let instantiations = "";
  for (let i = 0; i < 5; i++) {
    writeFileSync(file, text);
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--extendedDiagnostics"], { encoding: "utf8" });
    if (/error TS/.test(stdout)) throw new Error(stdout);
    times.push(1000 * Number(/Check time:\s+([\d.]+)/.exec(stdout)![1]));
    instantiations = /Instantiations:\s+(\d+)/.exec(stdout)![1]!;
  }
  console.log(`${name}: tsc's check ${spread(times)}, ${instantiations} instantiations`);
}

async function checkEdits({ name, text, mistake }: Program): Promise<void> {
  const server = new Server();
  await server.ask("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: { workspace: { configuration: true } },
  });
  server.tell("initialized", {});
  server.tell("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text } });
  const diagnose = () =>
    server.ask<{ items: { message: string }[] }>("textDocument/diagnostic", { textDocument: { uri } });
  const first = performance.now();
  const clean = await diagnose();
  console.log(`${name}: language server, first answer ${(performance.now() - first).toFixed(0)} ms`);
  if (clean.items.length > 0) throw new Error(JSON.stringify(clean.items));
  const edits: number[] = [];
  for (let i = 0; i < 60; i++) {
    const wrong = i % 2 === 0;
    const changed = wrong ? text.replace(...mistake) : text;
    server.tell("textDocument/didChange", {
      textDocument: { uri, version: i + 2 },
      contentChanges: [{ text: changed }],
    });
    const start = performance.now();
    const { items } = await diagnose();
    edits.push(performance.now() - start);
    if (wrong !== items.length > 0) throw new Error(`an edit gave ${items.length} diagnostics`);
  }
  console.log(`${name}: language server, an edit ${spread(edits)}`);
  server.end();
}

try {
  for (const program of programs) {
    checkWhole(program);
    await checkEdits(program);
  }
} finally {
  rmSync(folder, { recursive: true });
}
