/** A text as it is: Plotly takes `<b>` and `&lt;` in its texts for markup. */
export const plotlyText = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The beginning of a text that is longer than `most` characters. */
export const shortened = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
