import { formatBytes } from "../../base/bytes.ts";
import { counted } from "../../base/counted.ts";
import { escapeHtml } from "../../display/html.ts";
import { formatParameter } from "../parameter-values.ts";
import type { RunRecord } from "../record.ts";

export function seconds(value: number): string {
  if (value < 0.1) return "";
  if (value < 60) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  const two = (part: number) => String(part).padStart(2, "0");
  const whole = Math.round(value);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
}

export function elapsed(record: Partial<RunRecord>): number | undefined {
  return record.start && record.end ? (Date.parse(record.end) - Date.parse(record.start)) / 1000 : undefined;
}

/** The environment section at the end of the page. */
export function renderRunSummary(record: Partial<RunRecord>): string {
  const { cpu, git, runtime = {}, memory, nativePeak, parameters = {}, seeds = {} } = record;
  const { packages = {}, inputs = {}, variables = {} } = record;
  const duration = elapsed(record);
  const rows: [string, string | undefined][] = [
    ["Run", record.start?.replace("T", " ").replace(/\.\d+Z$/, " UTC")],
    ["Took", duration === undefined ? undefined : seconds(duration) || "less than 0.1 s"],
    ["Parameters", pairs(parameters)],
    ["Seeds", pairs(seeds)],
    ["Native memory, peak", nativePeak === undefined ? undefined : formatBytes(nativePeak)],
    ["Halftone", record.version && `${record.version}${record.build ? ` (build ${record.build})` : ""}`],
    ["Packages", words(packages)],
    ["Node", record.node],
    ["System", record.platform],
    ["Processor", cpu && `${cpu.model}, ${counted(cpu.cores, "core")}`],
    ["Memory", memory === undefined ? undefined : formatBytes(memory)],
    ...Object.entries(runtime).map(([name, value]): [string, string] => [`Runtime: ${spaced(name)}`, plain(value)]),
    ["Variables", words(variables)],
    ["Source, sha256", record.source?.sha256],
    ...Object.entries(inputs).map(([name, { sha256 }]): [string, string] => [`Input: ${name}, sha256`, sha256]),
    ["Git commit", git && `${git.commit}${git.dirty ? ", with changes not committed" : ""}`],
  ];
  const nonEmpty = rows.filter(([, value]) => value !== undefined && value !== "");
  const list = nonEmpty.map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value!)}</dd></div>`);
  return `<section class="facts" aria-labelledby="environment"><h2 id="environment">Environment</h2><dl>${list.join("")}</dl></section>`;
}

function pairs(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${formatParameter(value)}`)
    .join(", ");
}

function words(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function plain(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function spaced(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}
