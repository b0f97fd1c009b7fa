import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { refusing, requireWritable, writeWhole } from "../base/files.ts";
import { parseNumbers, stringifyNumbers } from "../base/json-numbers.ts";
import { formatNotebook, type Notebook, readNotebook, writeNotebook } from "../notebook/nbformat.ts";
import { type Plan, type Point, readPlan, writePlan } from "./plan.ts";
import { type PointRecord, parseRecord } from "./record.ts";

/**
 * A sweep's folder, `-o DIR`:
 *
 *     plan.json             the plan
 *     source.ipynb          the notebook that it runs; later changes of the original do not reach a running sweep
 *     points/ID.ipynb       the executed notebook of each point that has ended
 *     points/ID.json        its record
 *     results.csv, ...      the table and the page that results.ts makes of the records
 *
 * Every file appears whole under its name, the record after the notebook, so that processes of several machines may write here at once
 * and a point that ran twice has one record.
 */
export class Store {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = path.resolve(folder);
  }

  /** The path of a file directly in the folder. */
  file(name: string): string {
    return path.join(this.folder, name);
  }

  get planFile(): string {
    return this.file("plan.json");
  }

  get sourceFile(): string {
    return this.file("source.ipynb");
  }

  notebookFile(id: string): string {
    return path.join(this.folder, "points", `${id}.ipynb`);
  }

  recordFile(id: string): string {
    return path.join(this.folder, "points", `${id}.json`);
  }

  /** Checks that results can be stored here. @throws UserError */
  requireWritable(): void {
    requireWritable(this.recordFile("0".repeat(12)));
  }

  /** Stores what a sweep runs. @throws UserError if the folder cannot be written */
  begin(plan: Plan, source: Notebook): void {
    writeNotebook(this.sourceFile, source);
    writePlan(this.planFile, plan);
  }

  /** @throws UserError if the folder has no plan */
  plan(): Plan {
    return readPlan(this.planFile);
  }

  source(): Notebook {
    return readNotebook(this.sourceFile);
  }

  /** @throws UserError if the disk is full, or the folder cannot be written any more */
  save(record: PointRecord, executed?: Notebook): void {
    const advice = "the points that have ended are kept: make room, and run the same command again";
    if (executed) writeWhole(this.notebookFile(record.id), formatNotebook(executed), advice);
    writeWhole(this.recordFile(record.id), `${stringifyNumbers(record)}\n`, advice);
  }

  /** Removes a record, so that the point counts as one that has not ended. @throws UserError if that is not allowed */
  forget(id: string): void {
    const file = this.recordFile(id);
    refusing(file, () => rmSync(file, { force: true }));
  }

  /** The record of a point that has ended; undefined for another. A file that is not a record counts as none. */
  record(id: string): PointRecord | undefined {
    try {
      const record = parseRecord(parseNumbers(readFileSync(this.recordFile(id), "utf8")));
      return record?.id === id ? record : undefined;
    } catch {
      return undefined;
    }
  }

  /** The records of those of `points` that have ended, in their order. */
  records(points: readonly Point[]): PointRecord[] {
    return points.flatMap(({ id }) => this.record(id) ?? []);
  }

  /** The same records by id. */
  ended(points: readonly Point[]): Map<string, PointRecord> {
    return new Map(this.records(points).map((record) => [record.id, record]));
  }
}
