// Runs in the sweep's page, not in Node. It is inlined into the page, so it imports nothing.

const table = document.querySelector<HTMLTableElement>("table#points");
const filter = document.querySelector<HTMLInputElement>("#filter");
const shown = document.querySelector<HTMLElement>("#shown");

if (table && filter && shown) {
  const body = table.tBodies[0]!;
  const rows = [...body.rows];
  const buttons = [...table.tHead!.querySelectorAll("button")];
  const names = buttons.map((button) => button.dataset.name!);
  const valueAt = (row: HTMLTableRowElement, column: number) => row.cells[column]!.dataset.value ?? "";

  const compare = (a: string, b: string): number => {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };

  const isEmpty = (text: string) => text === "" || text === "NaN";

  const sortBy = (column: number, descending: boolean): void => {
    const sorted = [...rows].sort((a, b) => {
      const [x, y] = [valueAt(a, column), valueAt(b, column)];
      // Points without a value come last in either direction.
      if (isEmpty(x) || isEmpty(y)) return Number(isEmpty(x)) - Number(isEmpty(y));
      return compare(x, y) * (descending ? -1 : 1);
    });
    body.append(...sorted);
    for (const [at, button] of buttons.entries()) {
      const header = button.closest("th")!;
      if (at === column) header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    }
  };

  /** Whether a row has what one word of the filter asks for. */
  const fits = (row: HTMLTableRowElement, word: string): boolean => {
    const [, name, operator, wanted] = /^([^<>=!]+)(<=|>=|!=|=|<|>)(.+)$/.exec(word) ?? [];
    const column = name === undefined ? -1 : names.findIndex((each) => each.toLowerCase() === name.toLowerCase());
    if (column < 0) return row.textContent!.toLowerCase().includes(word.toLowerCase());
    const value = valueAt(row, column);
    if (operator === "=" || operator === "!=") {
      const isSameNumber = value !== "" && Number(value) === Number(wanted);
      const isSame = isSameNumber || value.toLowerCase() === wanted!.toLowerCase();
      return isSame === (operator === "=");
    }
    if (isEmpty(value)) return false;
    const order = compare(value, wanted!);
    return operator === "<" ? order < 0 : operator === "<=" ? order <= 0 : operator === ">" ? order > 0 : order >= 0;
  };

  const apply = (): void => {
    const words = (filter.value.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).map((word) => word.replaceAll('"', ""));
    let count = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => fits(row, word));
      if (!row.hidden) count++;
    }
    const total = rows.length === 1 ? "1 point" : `${rows.length} points`;
    shown.textContent = count === rows.length ? total : `${count} of ${total}`;
  };

  for (const [column, button] of buttons.entries())
    button.addEventListener("click", () => {
      const direction = button.closest("th")!.getAttribute("aria-sort");
      sortBy(column, direction === "ascending");
    });
  filter.addEventListener("input", apply);
  apply();
}
