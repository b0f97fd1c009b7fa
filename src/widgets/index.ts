export { Button, Text } from "./button.ts";
export type { Control, ValueOf, ValueWidget } from "./control.ts";
export type { WidgetClass, WidgetOf } from "./define.ts";
export { type Interaction, interact, type ValuesOf } from "./interact.ts";
export { directionalLink, frontEndDirectionalLink, frontEndLink, link } from "./link.ts";
export type { Change } from "./listener.ts";
export * from "./models.ts";
export { Output } from "./output.ts";
export type { WidgetReference } from "./registry.ts";
export {
  type Choice,
  type ChoiceInit,
  Dropdown,
  type Options,
  RadioButtons,
  Select,
  SelectionRangeSlider,
  SelectionSlider,
  SelectMultiple,
  ToggleButtons,
} from "./selection.ts";
export type { UploadedFile } from "./upload.ts";
export { type Init, Widget } from "./widget.ts";
