import { counted } from "../../base/counted.ts";
import { shortNumber } from "../../base/short-number.ts";
import { escapeHtml } from "../../display/html.ts";
import type { PointRecord } from "../record.ts";
import { resultColumns, type Value } from "../table.ts";
import { shortened } from "./plotly-text.ts";

/** Of an error's message; the notebook has all of it. */
const MOST_LETTERS = 400;

/** The table of all points that have ended. The page's script (browser.ts) sorts and filters its rows. */
export function pointsTable(records: readonly PointRecord[], best: PointRecord | undefined): string {
  const columns = resultColumns(records).filter(
    ({ name, values }) => name !== "error" || values.some((value) => value !== null),
  );
  const head = columns.map(({ name, values }) => {
    const isNumber = values.every((value) => value === null || typeof value === "number");
    return `<th scope="col" class="${isNumber ? "number" : ""}"><button type="button" data-name="${escapeHtml(name)}">${escapeHtml(name)}</button></th>`;
  });
  const rows = records.map((record, row) => {
    const cells = columns.map(({ name, values }) => cell(record, name, values[row]!));
    const kind = record.status === "error" ? "failed" : record === best ? "best" : "";
    return `<tr class="${kind}">${cells.join("")}</tr>`;
  });
  return (
    `<p class="filter"><label for="filter">Filter</label> <input type="search" id="filter" aria-describedby="filter-help" autocomplete="off"> ` +
    `<span id="shown" role="status">${counted(records.length, "point")}</span></p>` +
    `<p class="note" id="filter-help">Words, or comparisons such as <code>rate&lt;0.1</code>, <code>optimizer=adam</code>, <code>note="two words"</code> and <code>status=failed</code>. A click on a column sorts by it.</p>` +
    `<div class="scroll points"><table id="points"><thead><tr>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`
  );
}

function cell(record: PointRecord, name: string, value: Value): string {
  // The script sorts and compares by this value, not by the text that is shown.
  const given = value === null ? "" : String(value);
  if (name === "point")
    return `<td data-value="${given}"><a href="points/${given}.ipynb"><code>${given}</code></a></td>`;
  if (name === "status") {
    const text = record.status === "error" ? "failed" : "ok";
    return `<td data-value="${text}"><span class="state ${record.status}">${text}</span></td>`;
  }
  if (name === "error" && value !== null) {
    const where = record.error?.cell === undefined ? "" : `cell ${record.error.cell}: `;
    return `<td class="message" data-value="${escapeHtml(given)}">${escapeHtml(shortened(where + given, MOST_LETTERS))}</td>`;
  }
  if (name === "start")
    return `<td class="whole" data-value="${escapeHtml(given)}">${escapeHtml(given.slice(0, 16).replace("T", " "))}</td>`;
  const text =
    typeof value === "number"
      ? name === "seconds"
        ? value.toFixed(1)
        : shortNumber(value)
      : value === ""
        ? '""'
        : given;
  return `<td${typeof value === "number" ? ' class="number whole"' : ""} data-value="${escapeHtml(given)}">${escapeHtml(text)}</td>`;
}
