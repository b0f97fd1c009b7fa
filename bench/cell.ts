/**
 * What a cell costs through the session, types unchecked: latency of a trivial and of a typical cell, the time from
 * Session.start to the first result, and a loop that prints 100,000 lines.
 *
 *     npm run build && node dist/bench/cell.js [rounds]
 */
import { cpus, loadavg, totalmem } from "node:os";
import { Session } from "../kernel/session/session.ts";

const rounds = Number(process.argv[2] ?? 300);
const starts = 10;
const lines = 100_000;
const options = { cwd: process.cwd(), types: { policy: "off" } } as const;

/** Twenty lines with imports, a class, an enum and types. */
const typical = `
import path from "node:path";
import { readFileSync } from "node:fs";
interface Point { x: number; y: number }
enum Kind { Near, Far }
class Track {
  readonly points: Point[] = [];
  constructor(private readonly name: string) {}
  add(x: number, y: number): this {
    this.points.push({ x, y });
    return this;
  }
  get kind(): Kind {
    return this.points.some(({ x, y }) => Math.hypot(x, y) > 10) ? Kind.Far : Kind.Near;
  }
  toString(): string {
    return \`\${this.name}: \${this.points.length} points\`;
  }
}
const track = new Track(path.basename("/a/b")).add(1, 2).add(30, 40);
[typeof readFileSync, Kind[track.kind], String(track)] as const`;

const [cpu] = cpus();
console.log(
  `${cpu?.model.trim()} x ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
);
console.log(`load ${loadavg()[0]?.toFixed(1)} when it began`);

const firstResults: number[] = [];
for (let round = 0; round < starts; round++) {
  const began = performance.now();
  await using session = Session.start(options);
  await run(session, "1 + 1");
  firstResults.push(performance.now() - began);
}
report("Session.start to first result", firstResults);

await using session = Session.start(options);
for (let round = 0; round < 20; round++) await run(session, "1 + 1");
report("trivial cell", await time(session, "1 + 1"));
report("typical cell, 20 lines", await time(session, typical));
const [flood] = await time(session, `for (let i = 0; i < ${lines}; i++) console.log("line", i)`, 1);
console.log(`${lines.toLocaleString("en-US")} lines of output: ${flood?.toFixed(0)} ms`);

async function time(on: Session, code: string, count = rounds): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < count; round++) {
    const began = performance.now();
    await run(on, code);
    times.push(performance.now() - began);
  }
  return times;
}

async function run(on: Session, code: string): Promise<void> {
  const { status } = await on.execute(code, { onOutput: () => {} });
  if (status !== "ok") throw new Error(`the cell ended with ${status}: ${code}`);
}

function report(what: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
  console.log(`${what}: median ${at(0.5)} ms, p95 ${at(0.95)} ms, of ${times.length}`);
}
