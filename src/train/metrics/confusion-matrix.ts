import { defineSummary } from "../../display/define-summary.ts";
import { type Displayable, displaySymbol, type MimeBundle, table } from "../../display/index.ts";
import { type Figure, figure } from "../../plot/index.ts";
import { occurring } from "./classes.ts";
import { type Classes, type IgnoreIndex, pairsOf, type Scores } from "./values.ts";

/** Options of `confusionMatrix`. */
export interface ConfusionMatrixOptions extends IgnoreIndex {
  /** The number of classes, those that do not occur included; by default the number of `names`, or else those that occur. */
  classes?: number;
  /** The classes' names in the display, from class 0. */
  names?: readonly string[];
}

/** How often each class was predicted for each label. A notebook shows a heat map, `console.log` a table. */
export interface ConfusionMatrix extends Displayable {
  /** The class of each row and column. */
  readonly classes: readonly number[];
  /** `counts[i][j]` examples have the label `classes[i]` and the prediction `classes[j]`. */
  readonly counts: readonly (readonly number[])[];
}

/**
 * The counts of each pair of label (row) and prediction (column), of classes in any shape (scikit-learn's `confusion_matrix`, which
 * takes the labels first). Predictions may also be scores with one axis more, `[..., classes]`, of which the largest counts.
 *
 * @throws RangeError when the numbers of predictions and labels differ, no label counts, or a class is not below `classes`;
 *   TypeError for a class that is not an integer
 */
export function confusionMatrix(
  predictions: Classes | Scores,
  labels: Classes,
  options: ConfusionMatrixOptions = {},
): ConfusionMatrix {
  const { names } = options;
  const pairs = pairsOf("confusionMatrix", predictions, labels, options);
  const classes = occurring("confusionMatrix", pairs, options.classes ?? names?.length);
  const places = new Map(classes.map((each, i) => [each, i]));
  const counts = classes.map(() => classes.map(() => 0));
  for (let i = 0; i < pairs.labels.length; i++)
    counts[places.get(pairs.labels[i]!)!]![places.get(pairs.predictions[i]!)!]!++;
  const titles = classes.map((each) => names?.[each] ?? `${each}`);
  const matrix: ConfusionMatrix = { classes, counts, [displaySymbol]: () => bundleOf(titles, counts) };
  Object.defineProperty(matrix, displaySymbol, { enumerable: false });
  return defineSummary(matrix, () => textOf(titles, counts));
}

const bundleOf = (titles: readonly string[], counts: readonly number[][]): MimeBundle => ({
  ...(heatMap(titles, counts)[displaySymbol]() as MimeBundle),
  "text/plain": textOf(titles, counts),
});

function textOf(titles: readonly string[], counts: readonly number[][]): string {
  const head = "label \\ prediction";
  const rows = counts.map((row, i) => ({
    [head]: titles[i]!,
    ...Object.fromEntries(row.map((count, j) => [titles[j]!, count])),
  }));
  const shown = table(rows, { columns: [head, ...titles], limit: Number.POSITIVE_INFINITY });
  return (shown[displaySymbol]() as MimeBundle)["text/plain"] as string;
}

/** Coloured by the share of each row, so that rare classes show as well as frequent ones. */
function heatMap(titles: readonly string[], counts: readonly number[][]): Figure {
  const shares = counts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => (total === 0 ? 0 : count / total));
  });
  // A category axis, because plotly would read the names "0", "1" as numbers.
  const axis = { type: "category", showgrid: false } as const;
  return figure({
    data: [
      {
        type: "heatmap",
        name: "share of the label",
        x: [...titles],
        y: [...titles],
        z: shares,
        zmin: 0,
        zmax: 1,
        colorscale: "Blues",
        reversescale: false,
        text: counts.map((row) => row.map(String)) as unknown as string[],
        texttemplate: "%{text}",
        hovertemplate: "label %{y}, prediction %{x}: %{text} (%{z:.1%} of the label)<extra></extra>",
        colorbar: { tickformat: ".0%", title: { text: "of the label" } },
      },
    ],
    layout: {
      title: { text: "Confusion matrix" },
      xaxis: { ...axis, title: { text: "prediction" } },
      yaxis: { ...axis, title: { text: "label" }, autorange: "reversed" },
      hovermode: "closest",
    },
  });
}
