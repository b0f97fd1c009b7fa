import * as models from "./models.ts";
import { isRecord } from "./traits.ts";

/** A button: `new Button({ description: "Stop" }).onClick(() => { ... })`. */
export class Button extends models.Button {
  /** Calls `listener` at each click; returns a function that ends this. */
  onClick(listener: () => void): () => void {
    return this.onMessage((content) => {
      if (isRecord(content) && content.event === "click") listener();
    });
  }
}

/** A line of text: `onSubmit` tells when a person pressed Enter. */
export class Text extends models.Text {
  /** Calls `listener` with the text when a person presses Enter; returns a function that ends this. */
  onSubmit(listener: (value: string) => void): () => void {
    return this.onMessage((content) => {
      if (isRecord(content) && content.event === "submit") listener(this.value);
    });
  }
}
