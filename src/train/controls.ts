import { display } from "../display/index.ts";
import { widgetHost } from "../widgets/host.ts";

/** What a person can do while the training figure is drawn. */
export interface TrainingControls {
  /** Whether Stop was pressed: the training ends after the step, as by its `signal`. */
  readonly isStopped: boolean;
  /** The learning rate as the slider multiplies it; unchanged until it is moved. */
  rateOf(rate: number | undefined, optimizer: { readonly learningRate: number }): number | undefined;
  /** The training has ended. */
  end(): void;
}

/** A button that stops the training and a slider for the learning rate, where a page shows widgets; otherwise undefined. */
export async function trainingControls(): Promise<TrainingControls | undefined> {
  if (widgetHost()?.isShown() !== true) return undefined;
  // Imported here, because only a notebook needs the classes.
  const [{ Button }, { FloatLogSlider, HBox }] = await Promise.all([
    import("../widgets/button.ts"),
    import("../widgets/models.ts"),
  ]);
  const stop = new Button({ description: "Stop", icon: "stop", tooltip: "Ends the training after this step" });
  const rate = new FloatLogSlider({
    description: "learning rate ×",
    min: -2,
    max: 2,
    step: 0.05,
    style: { descriptionWidth: "initial" },
  });
  let isStopped = false;
  stop.onClick(() => {
    isStopped = true;
    stop.set({ description: "Stopping", disabled: true });
  });
  display(new HBox({ children: [stop, rate] }));
  return {
    get isStopped() {
      return isStopped;
    },
    rateOf: (given, optimizer) => (rate.value === 1 ? given : (given ?? optimizer.learningRate) * rate.value),
    end() {
      // Closed where the cell was run again meanwhile.
      if (!stop.closed) stop.set({ description: isStopped ? "Stopped" : "Stop", disabled: true });
      if (!rate.closed) rate.disabled = true;
    },
  };
}
