import { shortNumber } from "../base/short-number.ts";
import { parametersText } from "../sweep/groups.ts";
import type { Plan } from "../sweep/plan.ts";
import type { PointRecord } from "../sweep/record.ts";
import type { Store } from "../sweep/store.ts";
import { errorText, secondsOf } from "../sweep/table.ts";

/** One line for a point that has ended: its parameters, then its metrics or its error, and its time. */
export function pointLine(record: PointRecord, ended: number, total: number): string {
  const { parameters, metrics, error } = record;
  const place = `${String(ended).padStart(String(total).length)}/${total}`;
  const results = metrics.map(({ name, values }) => `${name} ${shortNumber(values.at(-1)!, 5)}`);
  const outcome = error
    ? [`failed${error.cell === undefined ? "" : ` in cell ${error.cell}`}: ${errorText(error).split("\n")[0]}`]
    : results;
  return `${place}  ${parametersText(parameters)}  ${[...outcome, `${secondsOf(record).toFixed(1)} s`].join("  ")}`;
}

/** Prints a line for each point that another process ends, until it is disposed. */
export function follow(store: Store, { points }: Plan): Disposable {
  const seen = new Set(store.records(points).map(({ id }) => id));
  const look = () => {
    for (const point of points) {
      if (seen.has(point.id)) continue;
      const record = store.record(point.id);
      if (!record) continue;
      seen.add(point.id);
      console.error(pointLine(record, seen.size, points.length));
    }
  };
  const timer = setInterval(look, 500);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      look();
    },
  };
}
