// Made by bench/widget-models.ts from @jupyter-widgets/schema@0.5.6. Do not edit.

import type { NotebookOutput } from "../display/output-log.ts";
import { date, dateTime, localDateTime, time } from "./dates.ts";
import {
  everyBorder,
  firstPage,
  identity,
  logarithmic,
  type WidgetClass,
  type WidgetOf,
  widgetClass,
  withinBounds,
} from "./define.ts";
import type { Model } from "./model.ts";
import type { WidgetReference } from "./registry.ts";
import {
  bool,
  bytes,
  either,
  float,
  int,
  type LinkEnd,
  linkEnd,
  list,
  local,
  oneOf,
  orNull,
  pair,
  part,
  record,
  text,
  widget,
} from "./traits.ts";
import { type UploadedFile, uploadedFile } from "./upload.ts";
import type { Init } from "./widget.ts";

/** What all widgets on a page have. */
export interface DomTraits {
  /** CSS classes applied to widget DOM element. */
  _domClasses: readonly string[];
  get layout(): Layout;
  set layout(value: Layout | Init<LayoutTraits>);
  /** Is widget tabbable. */
  tabbable: boolean | null;
  /** A tooltip caption. */
  tooltip: string | null;
}
const domTraits = {
  _domClasses: list(text("")),
  layout: part(() => Layout),
  tabbable: orNull(bool(false)),
  tooltip: orNull(text("")),
};

/** What all widgets with a description have. */
export interface DescribedTraits extends DomTraits {
  /** Description of the control. */
  description: string;
  /** Accept HTML in the description. */
  descriptionAllowHtml: boolean;
}
const describedTraits = {
  ...domTraits,
  description: text(""),
  descriptionAllowHtml: bool(false),
};

/** The attributes of `Layout`. */
export interface LayoutTraits {
  /** The border of all four sides. */
  border: string | null;
  /** The align-content CSS attribute. */
  alignContent:
    | "flex-start"
    | "flex-end"
    | "center"
    | "space-between"
    | "space-around"
    | "space-evenly"
    | "stretch"
    | "inherit"
    | "initial"
    | "unset"
    | null;
  /** The align-items CSS attribute. */
  alignItems: "flex-start" | "flex-end" | "center" | "baseline" | "stretch" | "inherit" | "initial" | "unset" | null;
  /** The align-self CSS attribute. */
  alignSelf:
    | "auto"
    | "flex-start"
    | "flex-end"
    | "center"
    | "baseline"
    | "stretch"
    | "inherit"
    | "initial"
    | "unset"
    | null;
  /** The border bottom CSS attribute. */
  borderBottom: string | null;
  /** The border left CSS attribute. */
  borderLeft: string | null;
  /** The border right CSS attribute. */
  borderRight: string | null;
  /** The border top CSS attribute. */
  borderTop: string | null;
  /** The bottom CSS attribute. */
  bottom: string | null;
  /** The display CSS attribute. */
  display: string | null;
  /** The flex CSS attribute. */
  flex: string | null;
  /** The flex-flow CSS attribute. */
  flexFlow: string | null;
  /** The grid-area CSS attribute. */
  gridArea: string | null;
  /** The grid-auto-columns CSS attribute. */
  gridAutoColumns: string | null;
  /** The grid-auto-flow CSS attribute. */
  gridAutoFlow: "column" | "row" | "row dense" | "column dense" | "inherit" | "initial" | "unset" | null;
  /** The grid-auto-rows CSS attribute. */
  gridAutoRows: string | null;
  /** The grid-column CSS attribute. */
  gridColumn: string | null;
  /** The grid-gap CSS attribute. */
  gridGap: string | null;
  /** The grid-row CSS attribute. */
  gridRow: string | null;
  /** The grid-template-areas CSS attribute. */
  gridTemplateAreas: string | null;
  /** The grid-template-columns CSS attribute. */
  gridTemplateColumns: string | null;
  /** The grid-template-rows CSS attribute. */
  gridTemplateRows: string | null;
  /** The height CSS attribute. */
  height: string | null;
  /** The justify-content CSS attribute. */
  justifyContent:
    | "flex-start"
    | "flex-end"
    | "center"
    | "space-between"
    | "space-around"
    | "inherit"
    | "initial"
    | "unset"
    | null;
  /** The justify-items CSS attribute. */
  justifyItems: "flex-start" | "flex-end" | "center" | "inherit" | "initial" | "unset" | null;
  /** The left CSS attribute. */
  left: string | null;
  /** The margin CSS attribute. */
  margin: string | null;
  /** The max-height CSS attribute. */
  maxHeight: string | null;
  /** The max-width CSS attribute. */
  maxWidth: string | null;
  /** The min-height CSS attribute. */
  minHeight: string | null;
  /** The min-width CSS attribute. */
  minWidth: string | null;
  /** The object-fit CSS attribute. */
  objectFit: "contain" | "cover" | "fill" | "scale-down" | "none" | null;
  /** The object-position CSS attribute. */
  objectPosition: string | null;
  /** The order CSS attribute. */
  order: string | null;
  /** The overflow CSS attribute. */
  overflow: string | null;
  /** The padding CSS attribute. */
  padding: string | null;
  /** The right CSS attribute. */
  right: string | null;
  /** The top CSS attribute. */
  top: string | null;
  /** The visibility CSS attribute. */
  visibility: "visible" | "hidden" | "inherit" | "initial" | "unset" | null;
  /** The width CSS attribute. */
  width: string | null;
}
export type Layout = WidgetOf<LayoutTraits>;
/** The `Layout` of ipywidgets. */
export const Layout: WidgetClass<LayoutTraits> = widgetClass({
  name: "Layout",
  identity: identity("base", "Layout"),
  settle: everyBorder,
  traits: {
    border: local(orNull(text(""))),
    alignContent: oneOf(
      null,
      "flex-start",
      "flex-end",
      "center",
      "space-between",
      "space-around",
      "space-evenly",
      "stretch",
      "inherit",
      "initial",
      "unset",
      null,
    ),
    alignItems: oneOf(
      null,
      "flex-start",
      "flex-end",
      "center",
      "baseline",
      "stretch",
      "inherit",
      "initial",
      "unset",
      null,
    ),
    alignSelf: oneOf(
      null,
      "auto",
      "flex-start",
      "flex-end",
      "center",
      "baseline",
      "stretch",
      "inherit",
      "initial",
      "unset",
      null,
    ),
    borderBottom: orNull(text("")),
    borderLeft: orNull(text("")),
    borderRight: orNull(text("")),
    borderTop: orNull(text("")),
    bottom: orNull(text("")),
    display: orNull(text("")),
    flex: orNull(text("")),
    flexFlow: orNull(text("")),
    gridArea: orNull(text("")),
    gridAutoColumns: orNull(text("")),
    gridAutoFlow: oneOf(null, "column", "row", "row dense", "column dense", "inherit", "initial", "unset", null),
    gridAutoRows: orNull(text("")),
    gridColumn: orNull(text("")),
    gridGap: orNull(text("")),
    gridRow: orNull(text("")),
    gridTemplateAreas: orNull(text("")),
    gridTemplateColumns: orNull(text("")),
    gridTemplateRows: orNull(text("")),
    height: orNull(text("")),
    justifyContent: oneOf(
      null,
      "flex-start",
      "flex-end",
      "center",
      "space-between",
      "space-around",
      "inherit",
      "initial",
      "unset",
      null,
    ),
    justifyItems: oneOf(null, "flex-start", "flex-end", "center", "inherit", "initial", "unset", null),
    left: orNull(text("")),
    margin: orNull(text("")),
    maxHeight: orNull(text("")),
    maxWidth: orNull(text("")),
    minHeight: orNull(text("")),
    minWidth: orNull(text("")),
    objectFit: oneOf(null, "contain", "cover", "fill", "scale-down", "none", null),
    objectPosition: orNull(text("")),
    order: orNull(text("")),
    overflow: orNull(text("")),
    padding: orNull(text("")),
    right: orNull(text("")),
    top: orNull(text("")),
    visibility: oneOf(null, "visible", "hidden", "inherit", "initial", "unset", null),
    width: orNull(text("")),
  },
});

/** The attributes of `Accordion`. */
export interface AccordionTraits extends DomTraits {
  /** Use a predefined styling for the box. */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
  /** List of widget children. */
  children: readonly WidgetReference[];
  /** The index of the selected page. This is either an integer selecting a particular sub-widget, or None to have no widgets selected. */
  selectedIndex: number | null;
  /** Titles of the pages. */
  titles: readonly string[];
}
export type Accordion = WidgetOf<AccordionTraits>;
/** The `Accordion` of ipywidgets. */
export const Accordion: WidgetClass<AccordionTraits> = widgetClass({
  name: "Accordion",
  identity: identity("controls", "Accordion"),
  traits: {
    ...domTraits,
    boxStyle: oneOf("", "success", "info", "warning", "danger", ""),
    children: list(widget()),
    selectedIndex: orNull(int(0)),
    titles: list(text("")),
  },
});

/** The attributes of `Audio`. */
export interface AudioTraits extends DomTraits {
  /** When true, the audio starts when it's displayed. */
  autoplay: boolean;
  /** Specifies that audio controls should be displayed (such as a play/pause button etc). */
  controls: boolean;
  /** The format of the audio. */
  format: string;
  /** When true, the audio will start from the beginning after finishing. */
  loop: boolean;
  /** The media data as a memory view of bytes. */
  value: Uint8Array;
}
export type Audio = WidgetOf<AudioTraits>;
/** The `Audio` of ipywidgets. */
export const Audio: WidgetClass<AudioTraits> = widgetClass({
  name: "Audio",
  identity: identity("controls", "Audio"),
  traits: {
    ...domTraits,
    autoplay: bool(true),
    controls: bool(true),
    format: text("mp3"),
    loop: bool(true),
    value: bytes(),
  },
});

/** The attributes of `BoundedFloatText`. */
export interface BoundedFloatTextTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Minimum step to increment the value. */
  step: number | null;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Float value. */
  value: number;
}
export type BoundedFloatText = WidgetOf<BoundedFloatTextTraits>;
/** The `BoundedFloatText` of ipywidgets. */
export const BoundedFloatText: WidgetClass<BoundedFloatTextTraits> = widgetClass({
  name: "BoundedFloatText",
  identity: identity("controls", "BoundedFloatText", { name: "FloatTextView" }),
  settle: withinBounds("BoundedFloatText"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(false),
    disabled: bool(false),
    max: float(100),
    min: float(0),
    step: orNull(float(0)),
    style: part(() => DescriptionStyle),
    value: float(0),
  },
});

/** The attributes of `BoundedIntText`. */
export interface BoundedIntTextTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Minimum step to increment the value. */
  step: number;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Int value. */
  value: number;
}
export type BoundedIntText = WidgetOf<BoundedIntTextTraits>;
/** The `BoundedIntText` of ipywidgets. */
export const BoundedIntText: WidgetClass<BoundedIntTextTraits> = widgetClass({
  name: "BoundedIntText",
  identity: identity("controls", "BoundedIntText", { name: "IntTextView" }),
  settle: withinBounds("BoundedIntText"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(false),
    disabled: bool(false),
    max: int(100),
    min: int(0),
    step: int(1),
    style: part(() => DescriptionStyle),
    value: int(0),
  },
});

/** The attributes of `Box`. */
export interface BoxTraits extends DomTraits {
  /** Use a predefined styling for the box. */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
  /** List of widget children. */
  children: readonly WidgetReference[];
}
export type Box = WidgetOf<BoxTraits>;
/** The `Box` of ipywidgets. */
export const Box: WidgetClass<BoxTraits> = widgetClass({
  name: "Box",
  identity: identity("controls", "Box"),
  traits: {
    ...domTraits,
    boxStyle: oneOf("", "success", "info", "warning", "danger", ""),
    children: list(widget()),
  },
});

/** The attributes of `Button`. */
export interface ButtonTraits extends DomTraits {
  /** Use a predefined styling for the button. */
  buttonStyle: "primary" | "success" | "info" | "warning" | "danger" | "";
  /** Button label. */
  description: string;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Font-awesome icon names, without the 'fa-' prefix. */
  icon: string;
  get style(): ButtonStyle;
  set style(value: ButtonStyle | Init<ButtonStyleTraits>);
}
export type Button = WidgetOf<ButtonTraits>;
/** The `Button` of ipywidgets. */
export const Button: WidgetClass<ButtonTraits> = widgetClass({
  name: "Button",
  identity: identity("controls", "Button"),
  traits: {
    ...domTraits,
    buttonStyle: oneOf("", "primary", "success", "info", "warning", "danger", ""),
    description: text(""),
    disabled: bool(false),
    icon: text(""),
    style: part(() => ButtonStyle),
  },
});

/** The attributes of `ButtonStyle`. */
export interface ButtonStyleTraits {
  /** Color of the button. */
  buttonColor: string | null;
  /** Button text font family. */
  fontFamily: string | null;
  /** Button text font size. */
  fontSize: string | null;
  /** Button text font style. */
  fontStyle: string | null;
  /** Button text font variant. */
  fontVariant: string | null;
  /** Button text font weight. */
  fontWeight: string | null;
  /** Button text color. */
  textColor: string | null;
  /** Button text decoration. */
  textDecoration: string | null;
}
export type ButtonStyle = WidgetOf<ButtonStyleTraits>;
/** The `ButtonStyle` of ipywidgets. */
export const ButtonStyle: WidgetClass<ButtonStyleTraits> = widgetClass({
  name: "ButtonStyle",
  identity: identity("controls", "ButtonStyle", { name: "StyleView", module: "base" }),
  traits: {
    buttonColor: orNull(text("")),
    fontFamily: orNull(text("")),
    fontSize: orNull(text("")),
    fontStyle: orNull(text("")),
    fontVariant: orNull(text("")),
    fontWeight: orNull(text("")),
    textColor: orNull(text("")),
    textDecoration: orNull(text("")),
  },
});

/** The attributes of `Checkbox`. */
export interface CheckboxTraits extends DescribedTraits {
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Indent the control to align with other controls with a description. */
  indent: boolean;
  /** Styling customizations. */
  get style(): CheckboxStyle;
  set style(value: CheckboxStyle | Init<CheckboxStyleTraits>);
  /** Bool value. */
  value: boolean;
}
export type Checkbox = WidgetOf<CheckboxTraits>;
/** The `Checkbox` of ipywidgets. */
export const Checkbox: WidgetClass<CheckboxTraits> = widgetClass({
  name: "Checkbox",
  identity: identity("controls", "Checkbox"),
  traits: {
    ...describedTraits,
    disabled: bool(false),
    indent: bool(true),
    style: part(() => CheckboxStyle),
    value: bool(false),
  },
});

/** The attributes of `CheckboxStyle`. */
export interface CheckboxStyleTraits {
  /** Background specifications. */
  background: string | null;
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
}
export type CheckboxStyle = WidgetOf<CheckboxStyleTraits>;
/** The `CheckboxStyle` of ipywidgets. */
export const CheckboxStyle: WidgetClass<CheckboxStyleTraits> = widgetClass({
  name: "CheckboxStyle",
  identity: identity("controls", "CheckboxStyle", { name: "StyleView", module: "base" }),
  traits: {
    background: orNull(text("")),
    descriptionWidth: text(""),
  },
});

/** The attributes of `ColorPicker`. */
export interface ColorPickerTraits extends DescribedTraits {
  /** Display short version with just a color selector. */
  concise: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** The color value. */
  value: string;
}
export type ColorPicker = WidgetOf<ColorPickerTraits>;
/** The `ColorPicker` of ipywidgets. */
export const ColorPicker: WidgetClass<ColorPickerTraits> = widgetClass({
  name: "ColorPicker",
  identity: identity("controls", "ColorPicker"),
  traits: {
    ...describedTraits,
    concise: bool(false),
    disabled: bool(false),
    style: part(() => DescriptionStyle),
    value: text("black"),
  },
});

/** The attributes of `ColorsInput`. */
export interface ColorsInputTraits extends DescribedTraits {
  allowDuplicates: boolean;
  allowedTags: readonly string[];
  placeholder: string;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** List of string tags. */
  value: readonly string[];
}
export type ColorsInput = WidgetOf<ColorsInputTraits>;
/** The `ColorsInput` of ipywidgets. */
export const ColorsInput: WidgetClass<ColorsInputTraits> = widgetClass({
  name: "ColorsInput",
  identity: identity("controls", "ColorsInput"),
  traits: {
    ...describedTraits,
    allowDuplicates: bool(true),
    allowedTags: list(text("")),
    placeholder: text("​"),
    style: part(() => DescriptionStyle),
    value: list(text("")),
  },
});

/** The attributes of `Combobox`. */
export interface ComboboxTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** If set, ensure value is in options. Implies continuous_update=False. */
  ensureOption: boolean;
  /** Dropdown options for the combobox. */
  options: readonly string[];
  /** Placeholder text to display when nothing has been typed. */
  placeholder: string;
  get style(): TextStyle;
  set style(value: TextStyle | Init<TextStyleTraits>);
  /** String value. */
  value: string;
}
export type Combobox = WidgetOf<ComboboxTraits>;
/** The `Combobox` of ipywidgets. */
export const Combobox: WidgetClass<ComboboxTraits> = widgetClass({
  name: "Combobox",
  identity: identity("controls", "Combobox"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(true),
    disabled: bool(false),
    ensureOption: bool(false),
    options: list(text("")),
    placeholder: text("​"),
    style: part(() => TextStyle),
    value: text(""),
  },
});

/** The attributes of `ControllerAxis`. */
export interface ControllerAxisTraits extends DomTraits {
  /** The value of the axis. */
  value: number;
}
export type ControllerAxis = WidgetOf<ControllerAxisTraits>;
/** The `ControllerAxis` of ipywidgets. */
export const ControllerAxis: WidgetClass<ControllerAxisTraits> = widgetClass({
  name: "ControllerAxis",
  identity: identity("controls", "ControllerAxis"),
  traits: {
    ...domTraits,
    value: float(0),
  },
});

/** The attributes of `ControllerButton`. */
export interface ControllerButtonTraits extends DomTraits {
  /** Whether the button is pressed. */
  pressed: boolean;
  /** The value of the button. */
  value: number;
}
export type ControllerButton = WidgetOf<ControllerButtonTraits>;
/** The `ControllerButton` of ipywidgets. */
export const ControllerButton: WidgetClass<ControllerButtonTraits> = widgetClass({
  name: "ControllerButton",
  identity: identity("controls", "ControllerButton"),
  traits: {
    ...domTraits,
    pressed: bool(false),
    value: float(0),
  },
});

/** The attributes of `Controller`. */
export interface ControllerTraits extends DomTraits {
  /** The axes on the gamepad. */
  axes: readonly WidgetReference[];
  /** The buttons on the gamepad. */
  buttons: readonly WidgetReference[];
  /** Whether the gamepad is connected. */
  connected: boolean;
  /** The id number of the controller. */
  index: number;
  /** The name of the control mapping. */
  mapping: string;
  /** The name of the controller. */
  name: string;
  /** The last time the data from this gamepad was updated. */
  timestamp: number;
}
export type Controller = WidgetOf<ControllerTraits>;
/** The `Controller` of ipywidgets. */
export const Controller: WidgetClass<ControllerTraits> = widgetClass({
  name: "Controller",
  identity: identity("controls", "Controller"),
  traits: {
    ...domTraits,
    axes: list(widget()),
    buttons: list(widget()),
    connected: bool(false),
    index: int(0),
    mapping: text(""),
    name: text(""),
    timestamp: float(0),
  },
});

/** The attributes of `DOMWidget`. */
export interface DOMWidgetTraits extends DomTraits {
  /** The media data as a memory view of bytes. */
  value: Uint8Array;
}
export type DOMWidget = WidgetOf<DOMWidgetTraits>;
/** The `DOMWidget` of ipywidgets. */
export const DOMWidget: WidgetClass<DOMWidgetTraits> = widgetClass({
  name: "DOMWidget",
  identity: identity("controls", "DOMWidget", { name: null }),
  traits: {
    ...domTraits,
    value: bytes(),
  },
});

/** The attributes of `DatePicker`. */
export interface DatePickerTraits extends DescribedTraits {
  /** Enable or disable user changes. */
  disabled: boolean;
  max: string | null;
  min: string | null;
  /** The date step to use for the picker, in days, or "any". */
  step: number | "any";
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  value: string | null;
}
export type DatePicker = WidgetOf<DatePickerTraits>;
/** The `DatePicker` of ipywidgets. */
export const DatePicker: WidgetClass<DatePickerTraits> = widgetClass({
  name: "DatePicker",
  identity: identity("controls", "DatePicker"),
  traits: {
    ...describedTraits,
    disabled: bool(false),
    max: orNull(date()),
    min: orNull(date()),
    step: either(int(1), oneOf("any", "any")),
    style: part(() => DescriptionStyle),
    value: orNull(date()),
  },
});

/** The attributes of `Datetime`. */
export interface DatetimeTraits extends DescribedTraits {
  /** Enable or disable user changes. */
  disabled: boolean;
  max: Date | null;
  min: Date | null;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  value: Date | null;
}
export type Datetime = WidgetOf<DatetimeTraits>;
/** The `Datetime` of ipywidgets. */
export const Datetime: WidgetClass<DatetimeTraits> = widgetClass({
  name: "Datetime",
  identity: identity("controls", "Datetime"),
  traits: {
    ...describedTraits,
    disabled: bool(false),
    max: orNull(dateTime()),
    min: orNull(dateTime()),
    style: part(() => DescriptionStyle),
    value: orNull(dateTime()),
  },
});

/** The attributes of `DescriptionStyle`. */
export interface DescriptionStyleTraits {
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
}
export type DescriptionStyle = WidgetOf<DescriptionStyleTraits>;
/** The `DescriptionStyle` of ipywidgets. */
export const DescriptionStyle: WidgetClass<DescriptionStyleTraits> = widgetClass({
  name: "DescriptionStyle",
  identity: identity("controls", "DescriptionStyle", { name: "StyleView", module: "base" }),
  traits: {
    descriptionWidth: text(""),
  },
});

/** The attributes of `DirectionalLink`. */
export interface DirectionalLinkTraits {
  /** The source (widget, 'trait_name') pair. */
  source: LinkEnd;
  /** The target (widget, 'trait_name') pair. */
  target: LinkEnd;
}
export type DirectionalLink = WidgetOf<DirectionalLinkTraits>;
/** The `DirectionalLink` of ipywidgets. */
export const DirectionalLink: WidgetClass<DirectionalLinkTraits> = widgetClass({
  name: "DirectionalLink",
  identity: identity("controls", "DirectionalLink", { name: null }),
  traits: {
    source: linkEnd(),
    target: linkEnd(),
  },
});

/** The attributes of `Dropdown`. */
export interface DropdownTraits extends DescribedTraits {
  /** The labels for the options. */
  _optionsLabels: readonly string[];
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Selected index. */
  index: number | null;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
}
export const DropdownModel: Model = {
  name: "Dropdown",
  identity: identity("controls", "Dropdown"),
  traits: {
    ...describedTraits,
    _optionsLabels: list(text("")),
    disabled: bool(false),
    index: orNull(int(0)),
    style: part(() => DescriptionStyle),
  },
};

/** The attributes of `FileUpload`. */
export interface FileUploadTraits extends DomTraits {
  /** File types to accept, empty string for all. */
  accept: string;
  /** Use a predefined styling for the button. */
  buttonStyle: "primary" | "success" | "info" | "warning" | "danger" | "";
  /** Description of the control. */
  description: string;
  /** Accept HTML in the description. */
  descriptionAllowHtml: boolean;
  /** Enable or disable button. */
  disabled: boolean;
  /** Error message. */
  error: string;
  /** Font-awesome icon name, without the 'fa-' prefix. */
  icon: string;
  /** If True, allow for multiple files upload. */
  multiple: boolean;
  get style(): ButtonStyle;
  set style(value: ButtonStyle | Init<ButtonStyleTraits>);
  /** The file upload value. */
  value: readonly UploadedFile[];
}
export type FileUpload = WidgetOf<FileUploadTraits>;
/** The `FileUpload` of ipywidgets. */
export const FileUpload: WidgetClass<FileUploadTraits> = widgetClass({
  name: "FileUpload",
  identity: identity("controls", "FileUpload"),
  traits: {
    ...domTraits,
    accept: text(""),
    buttonStyle: oneOf("", "primary", "success", "info", "warning", "danger", ""),
    description: text("Upload"),
    descriptionAllowHtml: bool(false),
    disabled: bool(false),
    error: text(""),
    icon: text("upload"),
    multiple: bool(false),
    style: part(() => ButtonStyle),
    value: list(uploadedFile()),
  },
});

/** The attributes of `FloatLogSlider`. */
export interface FloatLogSliderTraits extends DescribedTraits {
  /** Base for the logarithm. */
  base: number;
  /** Slider dragging behavior. */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
  /** Update the value of the widget as the user is holding the slider. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Max value for the exponent. */
  max: number;
  /** Min value for the exponent. */
  min: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Display the current value of the slider next to it. */
  readout: boolean;
  /** Format for the readout. */
  readoutFormat: string;
  /** Minimum step in the exponent to increment the value. */
  step: number | null;
  get style(): SliderStyle;
  set style(value: SliderStyle | Init<SliderStyleTraits>);
  /** Float value. */
  value: number;
}
export type FloatLogSlider = WidgetOf<FloatLogSliderTraits>;
/** The `FloatLogSlider` of ipywidgets. */
export const FloatLogSlider: WidgetClass<FloatLogSliderTraits> = widgetClass({
  name: "FloatLogSlider",
  identity: identity("controls", "FloatLogSlider"),
  settle: withinBounds("FloatLogSlider", logarithmic),
  traits: {
    ...describedTraits,
    base: float(10),
    behavior: oneOf("drag-tap", "drag-tap", "drag-snap", "tap", "drag", "snap"),
    continuousUpdate: bool(true),
    disabled: bool(false),
    max: float(4),
    min: float(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    readout: bool(true),
    readoutFormat: text(".3g"),
    step: orNull(float(0.1), 0.1),
    style: part(() => SliderStyle),
    value: float(1),
  },
});

/** The attributes of `FloatProgress`. */
export interface FloatProgressTraits extends DescribedTraits {
  /** Use a predefined styling for the progress bar. */
  barStyle: "success" | "info" | "warning" | "danger" | "" | null;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  get style(): ProgressStyle;
  set style(value: ProgressStyle | Init<ProgressStyleTraits>);
  /** Float value. */
  value: number;
}
export type FloatProgress = WidgetOf<FloatProgressTraits>;
/** The `FloatProgress` of ipywidgets. */
export const FloatProgress: WidgetClass<FloatProgressTraits> = widgetClass({
  name: "FloatProgress",
  identity: identity("controls", "FloatProgress", { name: "ProgressView" }),
  settle: withinBounds("FloatProgress"),
  traits: {
    ...describedTraits,
    barStyle: oneOf("", "success", "info", "warning", "danger", "", null),
    max: float(100),
    min: float(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    style: part(() => ProgressStyle),
    value: float(0),
  },
});

/** The attributes of `FloatRangeSlider`. */
export interface FloatRangeSliderTraits extends DescribedTraits {
  /** Slider dragging behavior. */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
  /** Update the value of the widget as the user is sliding the slider. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Display the current value of the slider next to it. */
  readout: boolean;
  /** Format for the readout. */
  readoutFormat: string;
  /** Minimum step to increment the value. */
  step: number | null;
  get style(): SliderStyle;
  set style(value: SliderStyle | Init<SliderStyleTraits>);
  /** Tuple of (lower, upper) bounds. */
  value: readonly [number, number];
}
export type FloatRangeSlider = WidgetOf<FloatRangeSliderTraits>;
/** The `FloatRangeSlider` of ipywidgets. */
export const FloatRangeSlider: WidgetClass<FloatRangeSliderTraits> = widgetClass({
  name: "FloatRangeSlider",
  identity: identity("controls", "FloatRangeSlider"),
  settle: withinBounds("FloatRangeSlider"),
  traits: {
    ...describedTraits,
    behavior: oneOf("drag-tap", "drag-tap", "drag-snap", "tap", "drag", "snap"),
    continuousUpdate: bool(true),
    disabled: bool(false),
    max: float(100),
    min: float(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    readout: bool(true),
    readoutFormat: text(".2f"),
    step: orNull(float(0.1), 0.1),
    style: part(() => SliderStyle),
    value: pair(float(0), [0, 1]),
  },
});

/** The attributes of `FloatSlider`. */
export interface FloatSliderTraits extends DescribedTraits {
  /** Slider dragging behavior. */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
  /** Update the value of the widget as the user is holding the slider. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Display the current value of the slider next to it. */
  readout: boolean;
  /** Format for the readout. */
  readoutFormat: string;
  /** Minimum step to increment the value. */
  step: number | null;
  get style(): SliderStyle;
  set style(value: SliderStyle | Init<SliderStyleTraits>);
  /** Float value. */
  value: number;
}
export type FloatSlider = WidgetOf<FloatSliderTraits>;
/** The `FloatSlider` of ipywidgets. */
export const FloatSlider: WidgetClass<FloatSliderTraits> = widgetClass({
  name: "FloatSlider",
  identity: identity("controls", "FloatSlider"),
  settle: withinBounds("FloatSlider"),
  traits: {
    ...describedTraits,
    behavior: oneOf("drag-tap", "drag-tap", "drag-snap", "tap", "drag", "snap"),
    continuousUpdate: bool(true),
    disabled: bool(false),
    max: float(100),
    min: float(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    readout: bool(true),
    readoutFormat: text(".2f"),
    step: orNull(float(0.1), 0.1),
    style: part(() => SliderStyle),
    value: float(0),
  },
});

/** The attributes of `FloatText`. */
export interface FloatTextTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Minimum step to increment the value. */
  step: number | null;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Float value. */
  value: number;
}
export type FloatText = WidgetOf<FloatTextTraits>;
/** The `FloatText` of ipywidgets. */
export const FloatText: WidgetClass<FloatTextTraits> = widgetClass({
  name: "FloatText",
  identity: identity("controls", "FloatText"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(false),
    disabled: bool(false),
    step: orNull(float(0)),
    style: part(() => DescriptionStyle),
    value: float(0),
  },
});

/** The attributes of `FloatsInput`. */
export interface FloatsInputTraits extends DescribedTraits {
  allowDuplicates: boolean;
  allowedTags: readonly number[];
  format: string;
  max: number | null;
  min: number | null;
  placeholder: string;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Use a predefined styling for the tags. */
  tagStyle: "primary" | "success" | "info" | "warning" | "danger" | "";
  /** List of float tags. */
  value: readonly number[];
}
export type FloatsInput = WidgetOf<FloatsInputTraits>;
/** The `FloatsInput` of ipywidgets. */
export const FloatsInput: WidgetClass<FloatsInputTraits> = widgetClass({
  name: "FloatsInput",
  identity: identity("controls", "FloatsInput"),
  traits: {
    ...describedTraits,
    allowDuplicates: bool(true),
    allowedTags: list(float(0)),
    format: text(".1f"),
    max: orNull(float(0)),
    min: orNull(float(0)),
    placeholder: text("​"),
    style: part(() => DescriptionStyle),
    tagStyle: oneOf("", "primary", "success", "info", "warning", "danger", ""),
    value: list(float(0)),
  },
});

/** The attributes of `GridBox`. */
export interface GridBoxTraits extends DomTraits {
  /** Use a predefined styling for the box. */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
  /** List of widget children. */
  children: readonly WidgetReference[];
}
export type GridBox = WidgetOf<GridBoxTraits>;
/** The `GridBox` of ipywidgets. */
export const GridBox: WidgetClass<GridBoxTraits> = widgetClass({
  name: "GridBox",
  identity: identity("controls", "GridBox"),
  traits: {
    ...domTraits,
    boxStyle: oneOf("", "success", "info", "warning", "danger", ""),
    children: list(widget()),
  },
});

/** The attributes of `HBox`. */
export interface HBoxTraits extends DomTraits {
  /** Use a predefined styling for the box. */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
  /** List of widget children. */
  children: readonly WidgetReference[];
}
export type HBox = WidgetOf<HBoxTraits>;
/** The `HBox` of ipywidgets. */
export const HBox: WidgetClass<HBoxTraits> = widgetClass({
  name: "HBox",
  identity: identity("controls", "HBox"),
  traits: {
    ...domTraits,
    boxStyle: oneOf("", "success", "info", "warning", "danger", ""),
    children: list(widget()),
  },
});

/** The attributes of `HTMLMath`. */
export interface HTMLMathTraits extends DescribedTraits {
  /** Placeholder text to display when nothing has been typed. */
  placeholder: string;
  get style(): HTMLMathStyle;
  set style(value: HTMLMathStyle | Init<HTMLMathStyleTraits>);
  /** String value. */
  value: string;
}
export type HTMLMath = WidgetOf<HTMLMathTraits>;
/** The `HTMLMath` of ipywidgets. */
export const HTMLMath: WidgetClass<HTMLMathTraits> = widgetClass({
  name: "HTMLMath",
  identity: identity("controls", "HTMLMath"),
  traits: {
    ...describedTraits,
    placeholder: text("​"),
    style: part(() => HTMLMathStyle),
    value: text(""),
  },
});

/** The attributes of `HTMLMathStyle`. */
export interface HTMLMathStyleTraits {
  /** Background specifications. */
  background: string | null;
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
  /** Text font size. */
  fontSize: string | null;
  /** Text color. */
  textColor: string | null;
}
export type HTMLMathStyle = WidgetOf<HTMLMathStyleTraits>;
/** The `HTMLMathStyle` of ipywidgets. */
export const HTMLMathStyle: WidgetClass<HTMLMathStyleTraits> = widgetClass({
  name: "HTMLMathStyle",
  identity: identity("controls", "HTMLMathStyle", { name: "StyleView", module: "base" }),
  traits: {
    background: orNull(text("")),
    descriptionWidth: text(""),
    fontSize: orNull(text("")),
    textColor: orNull(text("")),
  },
});

/** The attributes of `HTML`. */
export interface HTMLTraits extends DescribedTraits {
  /** Placeholder text to display when nothing has been typed. */
  placeholder: string;
  get style(): HTMLStyle;
  set style(value: HTMLStyle | Init<HTMLStyleTraits>);
  /** String value. */
  value: string;
}
export type HTML = WidgetOf<HTMLTraits>;
/** The `HTML` of ipywidgets. */
export const HTML: WidgetClass<HTMLTraits> = widgetClass({
  name: "HTML",
  identity: identity("controls", "HTML"),
  traits: {
    ...describedTraits,
    placeholder: text("​"),
    style: part(() => HTMLStyle),
    value: text(""),
  },
});

/** The attributes of `HTMLStyle`. */
export interface HTMLStyleTraits {
  /** Background specifications. */
  background: string | null;
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
  /** Text font size. */
  fontSize: string | null;
  /** Text color. */
  textColor: string | null;
}
export type HTMLStyle = WidgetOf<HTMLStyleTraits>;
/** The `HTMLStyle` of ipywidgets. */
export const HTMLStyle: WidgetClass<HTMLStyleTraits> = widgetClass({
  name: "HTMLStyle",
  identity: identity("controls", "HTMLStyle", { name: "StyleView", module: "base" }),
  traits: {
    background: orNull(text("")),
    descriptionWidth: text(""),
    fontSize: orNull(text("")),
    textColor: orNull(text("")),
  },
});

/** The attributes of `Image`. */
export interface ImageTraits extends DomTraits {
  /** The format of the image. */
  format: string;
  /** Height of the image in pixels. Use layout.height for styling the widget. */
  height: string;
  /** The media data as a memory view of bytes. */
  value: Uint8Array;
  /** Width of the image in pixels. Use layout.width for styling the widget. */
  width: string;
}
export type Image = WidgetOf<ImageTraits>;
/** The `Image` of ipywidgets. */
export const Image: WidgetClass<ImageTraits> = widgetClass({
  name: "Image",
  identity: identity("controls", "Image"),
  traits: {
    ...domTraits,
    format: text("png"),
    height: text(""),
    value: bytes(),
    width: text(""),
  },
});

/** The attributes of `IntProgress`. */
export interface IntProgressTraits extends DescribedTraits {
  /** Use a predefined styling for the progress bar. */
  barStyle: "success" | "info" | "warning" | "danger" | "";
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  get style(): ProgressStyle;
  set style(value: ProgressStyle | Init<ProgressStyleTraits>);
  /** Int value. */
  value: number;
}
export type IntProgress = WidgetOf<IntProgressTraits>;
/** The `IntProgress` of ipywidgets. */
export const IntProgress: WidgetClass<IntProgressTraits> = widgetClass({
  name: "IntProgress",
  identity: identity("controls", "IntProgress", { name: "ProgressView" }),
  settle: withinBounds("IntProgress"),
  traits: {
    ...describedTraits,
    barStyle: oneOf("", "success", "info", "warning", "danger", ""),
    max: int(100),
    min: int(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    style: part(() => ProgressStyle),
    value: int(0),
  },
});

/** The attributes of `IntRangeSlider`. */
export interface IntRangeSliderTraits extends DescribedTraits {
  /** Slider dragging behavior. */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
  /** Update the value of the widget as the user is sliding the slider. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Display the current value of the slider next to it. */
  readout: boolean;
  /** Format for the readout. */
  readoutFormat: string;
  /** Minimum step that the value can take. */
  step: number;
  /** Slider style customizations. */
  get style(): SliderStyle;
  set style(value: SliderStyle | Init<SliderStyleTraits>);
  /** Tuple of (lower, upper) bounds. */
  value: readonly [number, number];
}
export type IntRangeSlider = WidgetOf<IntRangeSliderTraits>;
/** The `IntRangeSlider` of ipywidgets. */
export const IntRangeSlider: WidgetClass<IntRangeSliderTraits> = widgetClass({
  name: "IntRangeSlider",
  identity: identity("controls", "IntRangeSlider"),
  settle: withinBounds("IntRangeSlider"),
  traits: {
    ...describedTraits,
    behavior: oneOf("drag-tap", "drag-tap", "drag-snap", "tap", "drag", "snap"),
    continuousUpdate: bool(true),
    disabled: bool(false),
    max: int(100),
    min: int(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    readout: bool(true),
    readoutFormat: text("d"),
    step: int(1),
    style: part(() => SliderStyle),
    value: pair(int(0), [0, 1]),
  },
});

/** The attributes of `IntSlider`. */
export interface IntSliderTraits extends DescribedTraits {
  /** Slider dragging behavior. */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
  /** Update the value of the widget as the user is holding the slider. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Display the current value of the slider next to it. */
  readout: boolean;
  /** Format for the readout. */
  readoutFormat: string;
  /** Minimum step to increment the value. */
  step: number;
  get style(): SliderStyle;
  set style(value: SliderStyle | Init<SliderStyleTraits>);
  /** Int value. */
  value: number;
}
export type IntSlider = WidgetOf<IntSliderTraits>;
/** The `IntSlider` of ipywidgets. */
export const IntSlider: WidgetClass<IntSliderTraits> = widgetClass({
  name: "IntSlider",
  identity: identity("controls", "IntSlider"),
  settle: withinBounds("IntSlider"),
  traits: {
    ...describedTraits,
    behavior: oneOf("drag-tap", "drag-tap", "drag-snap", "tap", "drag", "snap"),
    continuousUpdate: bool(true),
    disabled: bool(false),
    max: int(100),
    min: int(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    readout: bool(true),
    readoutFormat: text("d"),
    step: int(1),
    style: part(() => SliderStyle),
    value: int(0),
  },
});

/** The attributes of `IntText`. */
export interface IntTextTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Minimum step to increment the value. */
  step: number;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Int value. */
  value: number;
}
export type IntText = WidgetOf<IntTextTraits>;
/** The `IntText` of ipywidgets. */
export const IntText: WidgetClass<IntTextTraits> = widgetClass({
  name: "IntText",
  identity: identity("controls", "IntText"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(false),
    disabled: bool(false),
    step: int(1),
    style: part(() => DescriptionStyle),
    value: int(0),
  },
});

/** The attributes of `IntsInput`. */
export interface IntsInputTraits extends DescribedTraits {
  allowDuplicates: boolean;
  allowedTags: readonly number[];
  format: string;
  max: number | null;
  min: number | null;
  placeholder: string;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Use a predefined styling for the tags. */
  tagStyle: "primary" | "success" | "info" | "warning" | "danger" | "";
  /** List of int tags. */
  value: readonly number[];
}
export type IntsInput = WidgetOf<IntsInputTraits>;
/** The `IntsInput` of ipywidgets. */
export const IntsInput: WidgetClass<IntsInputTraits> = widgetClass({
  name: "IntsInput",
  identity: identity("controls", "IntsInput"),
  traits: {
    ...describedTraits,
    allowDuplicates: bool(true),
    allowedTags: list(int(0)),
    format: text("d"),
    max: orNull(int(0)),
    min: orNull(int(0)),
    placeholder: text("​"),
    style: part(() => DescriptionStyle),
    tagStyle: oneOf("", "primary", "success", "info", "warning", "danger", ""),
    value: list(int(0)),
  },
});

/** The attributes of `Label`. */
export interface LabelTraits extends DescribedTraits {
  /** Placeholder text to display when nothing has been typed. */
  placeholder: string;
  get style(): LabelStyle;
  set style(value: LabelStyle | Init<LabelStyleTraits>);
  /** String value. */
  value: string;
}
export type Label = WidgetOf<LabelTraits>;
/** The `Label` of ipywidgets. */
export const Label: WidgetClass<LabelTraits> = widgetClass({
  name: "Label",
  identity: identity("controls", "Label"),
  traits: {
    ...describedTraits,
    placeholder: text("​"),
    style: part(() => LabelStyle),
    value: text(""),
  },
});

/** The attributes of `LabelStyle`. */
export interface LabelStyleTraits {
  /** Background specifications. */
  background: string | null;
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
  /** Label text font family. */
  fontFamily: string | null;
  /** Text font size. */
  fontSize: string | null;
  /** Label text font style. */
  fontStyle: string | null;
  /** Label text font variant. */
  fontVariant: string | null;
  /** Label text font weight. */
  fontWeight: string | null;
  /** Text color. */
  textColor: string | null;
  /** Label text decoration. */
  textDecoration: string | null;
}
export type LabelStyle = WidgetOf<LabelStyleTraits>;
/** The `LabelStyle` of ipywidgets. */
export const LabelStyle: WidgetClass<LabelStyleTraits> = widgetClass({
  name: "LabelStyle",
  identity: identity("controls", "LabelStyle", { name: "StyleView", module: "base" }),
  traits: {
    background: orNull(text("")),
    descriptionWidth: text(""),
    fontFamily: orNull(text("")),
    fontSize: orNull(text("")),
    fontStyle: orNull(text("")),
    fontVariant: orNull(text("")),
    fontWeight: orNull(text("")),
    textColor: orNull(text("")),
    textDecoration: orNull(text("")),
  },
});

/** The attributes of `Link`. */
export interface LinkTraits {
  /** The source (widget, 'trait_name') pair. */
  source: LinkEnd;
  /** The target (widget, 'trait_name') pair. */
  target: LinkEnd;
}
export type Link = WidgetOf<LinkTraits>;
/** The `Link` of ipywidgets. */
export const Link: WidgetClass<LinkTraits> = widgetClass({
  name: "Link",
  identity: identity("controls", "Link", { name: null }),
  traits: {
    source: linkEnd(),
    target: linkEnd(),
  },
});

/** The attributes of `NaiveDatetime`. */
export interface NaiveDatetimeTraits extends DescribedTraits {
  /** Enable or disable user changes. */
  disabled: boolean;
  max: string | null;
  min: string | null;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  value: string | null;
}
export type NaiveDatetime = WidgetOf<NaiveDatetimeTraits>;
/** The `NaiveDatetime` of ipywidgets. */
export const NaiveDatetime: WidgetClass<NaiveDatetimeTraits> = widgetClass({
  name: "NaiveDatetime",
  identity: identity("controls", "NaiveDatetime", { name: "DatetimeView" }),
  traits: {
    ...describedTraits,
    disabled: bool(false),
    max: orNull(localDateTime()),
    min: orNull(localDateTime()),
    style: part(() => DescriptionStyle),
    value: orNull(localDateTime()),
  },
});

/** The attributes of `Password`. */
export interface PasswordTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Placeholder text to display when nothing has been typed. */
  placeholder: string;
  get style(): TextStyle;
  set style(value: TextStyle | Init<TextStyleTraits>);
  /** String value. */
  value: string;
}
export type Password = WidgetOf<PasswordTraits>;
/** The `Password` of ipywidgets. */
export const Password: WidgetClass<PasswordTraits> = widgetClass({
  name: "Password",
  identity: identity("controls", "Password"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(true),
    disabled: bool(false),
    placeholder: text("​"),
    style: part(() => TextStyle),
    value: text(""),
  },
});

/** The attributes of `Play`. */
export interface PlayTraits extends DescribedTraits {
  /** Enable or disable user changes. */
  disabled: boolean;
  /** The time between two animation steps (ms). */
  interval: number;
  /** Max value. */
  max: number;
  /** Min value. */
  min: number;
  /** Whether the control is currently playing. */
  playing: boolean;
  /** Whether the control will repeat in a continuous loop. */
  repeat: boolean;
  /** Show the repeat toggle button in the widget. */
  showRepeat: boolean;
  /** Increment step. */
  step: number;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Int value. */
  value: number;
}
export type Play = WidgetOf<PlayTraits>;
/** The `Play` of ipywidgets. */
export const Play: WidgetClass<PlayTraits> = widgetClass({
  name: "Play",
  identity: identity("controls", "Play"),
  settle: withinBounds("Play"),
  traits: {
    ...describedTraits,
    disabled: bool(false),
    interval: int(100),
    max: int(100),
    min: int(0),
    playing: bool(false),
    repeat: bool(false),
    showRepeat: bool(true),
    step: int(1),
    style: part(() => DescriptionStyle),
    value: int(0),
  },
});

/** The attributes of `ProgressStyle`. */
export interface ProgressStyleTraits {
  /** Color of the progress bar. */
  barColor: string | null;
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
}
export type ProgressStyle = WidgetOf<ProgressStyleTraits>;
/** The `ProgressStyle` of ipywidgets. */
export const ProgressStyle: WidgetClass<ProgressStyleTraits> = widgetClass({
  name: "ProgressStyle",
  identity: identity("controls", "ProgressStyle", { name: "StyleView", module: "base" }),
  traits: {
    barColor: orNull(text("")),
    descriptionWidth: text(""),
  },
});

/** The attributes of `RadioButtons`. */
export interface RadioButtonsTraits extends DescribedTraits {
  /** The labels for the options. */
  _optionsLabels: readonly string[];
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Selected index. */
  index: number | null;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
}
export const RadioButtonsModel: Model = {
  name: "RadioButtons",
  identity: identity("controls", "RadioButtons"),
  traits: {
    ...describedTraits,
    _optionsLabels: list(text("")),
    disabled: bool(false),
    index: orNull(int(0)),
    orientation: oneOf("vertical", "horizontal", "vertical"),
    style: part(() => DescriptionStyle),
  },
};

/** The attributes of `Select`. */
export interface SelectTraits extends DescribedTraits {
  /** The labels for the options. */
  _optionsLabels: readonly string[];
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Selected index. */
  index: number | null;
  /** The number of rows to display. */
  rows: number;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
}
export const SelectModel: Model = {
  name: "Select",
  identity: identity("controls", "Select"),
  traits: {
    ...describedTraits,
    _optionsLabels: list(text("")),
    disabled: bool(false),
    index: orNull(int(0)),
    rows: int(5),
    style: part(() => DescriptionStyle),
  },
};

/** The attributes of `SelectMultiple`. */
export interface SelectMultipleTraits extends DescribedTraits {
  /** The labels for the options. */
  _optionsLabels: readonly string[];
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Selected indices. */
  index: readonly number[];
  /** The number of rows to display. */
  rows: number;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
}
export const SelectMultipleModel: Model = {
  name: "SelectMultiple",
  identity: identity("controls", "SelectMultiple"),
  traits: {
    ...describedTraits,
    _optionsLabels: list(text("")),
    disabled: bool(false),
    index: list(int(0)),
    rows: int(5),
    style: part(() => DescriptionStyle),
  },
};

/** The attributes of `SelectionRangeSlider`. */
export interface SelectionRangeSliderTraits extends DescribedTraits {
  /** The labels for the options. */
  _optionsLabels: readonly string[];
  /** Slider dragging behavior. */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
  /** Update the value of the widget as the user is holding the slider. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Min and max selected indices. */
  index: readonly [number, number];
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Display the current selected label next to the slider. */
  readout: boolean;
  get style(): SliderStyle;
  set style(value: SliderStyle | Init<SliderStyleTraits>);
}
export const SelectionRangeSliderModel: Model = {
  name: "SelectionRangeSlider",
  identity: identity("controls", "SelectionRangeSlider"),
  traits: {
    ...describedTraits,
    _optionsLabels: list(text("")),
    behavior: oneOf("drag-tap", "drag-tap", "drag-snap", "tap", "drag", "snap"),
    continuousUpdate: bool(true),
    disabled: bool(false),
    index: pair(int(0), [0, 0]),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    readout: bool(true),
    style: part(() => SliderStyle),
  },
};

/** The attributes of `SelectionSlider`. */
export interface SelectionSliderTraits extends DescribedTraits {
  /** The labels for the options. */
  _optionsLabels: readonly string[];
  /** Slider dragging behavior. */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
  /** Update the value of the widget as the user is holding the slider. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Selected index. */
  index: number;
  /** Vertical or horizontal. */
  orientation: "horizontal" | "vertical";
  /** Display the current selected label next to the slider. */
  readout: boolean;
  get style(): SliderStyle;
  set style(value: SliderStyle | Init<SliderStyleTraits>);
}
export const SelectionSliderModel: Model = {
  name: "SelectionSlider",
  identity: identity("controls", "SelectionSlider"),
  traits: {
    ...describedTraits,
    _optionsLabels: list(text("")),
    behavior: oneOf("drag-tap", "drag-tap", "drag-snap", "tap", "drag", "snap"),
    continuousUpdate: bool(true),
    disabled: bool(false),
    index: int(0),
    orientation: oneOf("horizontal", "horizontal", "vertical"),
    readout: bool(true),
    style: part(() => SliderStyle),
  },
};

/** The attributes of `SliderStyle`. */
export interface SliderStyleTraits {
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
  /** Color of the slider handle. */
  handleColor: string | null;
}
export type SliderStyle = WidgetOf<SliderStyleTraits>;
/** The `SliderStyle` of ipywidgets. */
export const SliderStyle: WidgetClass<SliderStyleTraits> = widgetClass({
  name: "SliderStyle",
  identity: identity("controls", "SliderStyle", { name: "StyleView", module: "base" }),
  traits: {
    descriptionWidth: text(""),
    handleColor: orNull(text("")),
  },
});

/** The attributes of `Stack`. */
export interface StackTraits extends DomTraits {
  /** Use a predefined styling for the box. */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
  /** List of widget children. */
  children: readonly WidgetReference[];
  /** The index of the selected page. This is either an integer selecting a particular sub-widget, or None to have no widgets selected. */
  selectedIndex: number | null;
  /** Titles of the pages. */
  titles: readonly string[];
}
export type Stack = WidgetOf<StackTraits>;
/** The `Stack` of ipywidgets. */
export const Stack: WidgetClass<StackTraits> = widgetClass({
  name: "Stack",
  identity: identity("controls", "Stack"),
  traits: {
    ...domTraits,
    boxStyle: oneOf("", "success", "info", "warning", "danger", ""),
    children: list(widget()),
    selectedIndex: orNull(int(0)),
    titles: list(text("")),
  },
});

/** The attributes of `Tab`. */
export interface TabTraits extends DomTraits {
  /** Use a predefined styling for the box. */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
  /** List of widget children. */
  children: readonly WidgetReference[];
  /** The index of the selected page. This is either an integer selecting a particular sub-widget, or None to have no widgets selected. */
  selectedIndex: number | null;
  /** Titles of the pages. */
  titles: readonly string[];
}
export type Tab = WidgetOf<TabTraits>;
/** The `Tab` of ipywidgets. */
export const Tab: WidgetClass<TabTraits> = widgetClass({
  name: "Tab",
  identity: identity("controls", "Tab"),
  settle: firstPage,
  traits: {
    ...domTraits,
    boxStyle: oneOf("", "success", "info", "warning", "danger", ""),
    children: list(widget()),
    selectedIndex: orNull(int(0)),
    titles: list(text("")),
  },
});

/** The attributes of `TagsInput`. */
export interface TagsInputTraits extends DescribedTraits {
  allowDuplicates: boolean;
  allowedTags: readonly string[];
  placeholder: string;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Use a predefined styling for the tags. */
  tagStyle: "primary" | "success" | "info" | "warning" | "danger" | "";
  /** List of string tags. */
  value: readonly string[];
}
export type TagsInput = WidgetOf<TagsInputTraits>;
/** The `TagsInput` of ipywidgets. */
export const TagsInput: WidgetClass<TagsInputTraits> = widgetClass({
  name: "TagsInput",
  identity: identity("controls", "TagsInput"),
  traits: {
    ...describedTraits,
    allowDuplicates: bool(true),
    allowedTags: list(text("")),
    placeholder: text("​"),
    style: part(() => DescriptionStyle),
    tagStyle: oneOf("", "primary", "success", "info", "warning", "danger", ""),
    value: list(text("")),
  },
});

/** The attributes of `Text`. */
export interface TextTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Placeholder text to display when nothing has been typed. */
  placeholder: string;
  get style(): TextStyle;
  set style(value: TextStyle | Init<TextStyleTraits>);
  /** String value. */
  value: string;
}
export type Text = WidgetOf<TextTraits>;
/** The `Text` of ipywidgets. */
export const Text: WidgetClass<TextTraits> = widgetClass({
  name: "Text",
  identity: identity("controls", "Text"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(true),
    disabled: bool(false),
    placeholder: text("​"),
    style: part(() => TextStyle),
    value: text(""),
  },
});

/** The attributes of `TextStyle`. */
export interface TextStyleTraits {
  /** Background specifications. */
  background: string | null;
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
  /** Text font size. */
  fontSize: string | null;
  /** Text color. */
  textColor: string | null;
}
export type TextStyle = WidgetOf<TextStyleTraits>;
/** The `TextStyle` of ipywidgets. */
export const TextStyle: WidgetClass<TextStyleTraits> = widgetClass({
  name: "TextStyle",
  identity: identity("controls", "TextStyle", { name: "StyleView", module: "base" }),
  traits: {
    background: orNull(text("")),
    descriptionWidth: text(""),
    fontSize: orNull(text("")),
    textColor: orNull(text("")),
  },
});

/** The attributes of `Textarea`. */
export interface TextareaTraits extends DescribedTraits {
  /** Update the value as the user types. If False, update on submission, e.g., pressing Enter or navigating away. */
  continuousUpdate: boolean;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Placeholder text to display when nothing has been typed. */
  placeholder: string;
  /** The number of rows to display. */
  rows: number | null;
  get style(): TextStyle;
  set style(value: TextStyle | Init<TextStyleTraits>);
  /** String value. */
  value: string;
}
export type Textarea = WidgetOf<TextareaTraits>;
/** The `Textarea` of ipywidgets. */
export const Textarea: WidgetClass<TextareaTraits> = widgetClass({
  name: "Textarea",
  identity: identity("controls", "Textarea"),
  traits: {
    ...describedTraits,
    continuousUpdate: bool(true),
    disabled: bool(false),
    placeholder: text("​"),
    rows: orNull(int(0)),
    style: part(() => TextStyle),
    value: text(""),
  },
});

/** The attributes of `Time`. */
export interface TimeTraits extends DescribedTraits {
  /** Enable or disable user changes. */
  disabled: boolean;
  max: string | null;
  min: string | null;
  /** The time step to use for the picker, in seconds, or "any". */
  step: number | "any";
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  value: string | null;
}
export type Time = WidgetOf<TimeTraits>;
/** The `Time` of ipywidgets. */
export const Time: WidgetClass<TimeTraits> = widgetClass({
  name: "Time",
  identity: identity("controls", "Time"),
  traits: {
    ...describedTraits,
    disabled: bool(false),
    max: orNull(time()),
    min: orNull(time()),
    step: either(float(60), oneOf("any", "any")),
    style: part(() => DescriptionStyle),
    value: orNull(time()),
  },
});

/** The attributes of `ToggleButton`. */
export interface ToggleButtonTraits extends DescribedTraits {
  /** Use a predefined styling for the button. */
  buttonStyle: "primary" | "success" | "info" | "warning" | "danger" | "";
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Font-awesome icon. */
  icon: string;
  /** Styling customizations. */
  get style(): ToggleButtonStyle;
  set style(value: ToggleButtonStyle | Init<ToggleButtonStyleTraits>);
  /** Bool value. */
  value: boolean;
}
export type ToggleButton = WidgetOf<ToggleButtonTraits>;
/** The `ToggleButton` of ipywidgets. */
export const ToggleButton: WidgetClass<ToggleButtonTraits> = widgetClass({
  name: "ToggleButton",
  identity: identity("controls", "ToggleButton"),
  traits: {
    ...describedTraits,
    buttonStyle: oneOf("", "primary", "success", "info", "warning", "danger", ""),
    disabled: bool(false),
    icon: text(""),
    style: part(() => ToggleButtonStyle),
    value: bool(false),
  },
});

/** The attributes of `ToggleButtonStyle`. */
export interface ToggleButtonStyleTraits {
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
  /** Toggle button text font family. */
  fontFamily: string | null;
  /** Toggle button text font size. */
  fontSize: string | null;
  /** Toggle button text font style. */
  fontStyle: string | null;
  /** Toggle button text font variant. */
  fontVariant: string | null;
  /** Toggle button text font weight. */
  fontWeight: string | null;
  /** Toggle button text color. */
  textColor: string | null;
  /** Toggle button text decoration. */
  textDecoration: string | null;
}
export type ToggleButtonStyle = WidgetOf<ToggleButtonStyleTraits>;
/** The `ToggleButtonStyle` of ipywidgets. */
export const ToggleButtonStyle: WidgetClass<ToggleButtonStyleTraits> = widgetClass({
  name: "ToggleButtonStyle",
  identity: identity("controls", "ToggleButtonStyle", { name: "StyleView", module: "base" }),
  traits: {
    descriptionWidth: text(""),
    fontFamily: orNull(text("")),
    fontSize: orNull(text("")),
    fontStyle: orNull(text("")),
    fontVariant: orNull(text("")),
    fontWeight: orNull(text("")),
    textColor: orNull(text("")),
    textDecoration: orNull(text("")),
  },
});

/** The attributes of `ToggleButtons`. */
export interface ToggleButtonsTraits extends DescribedTraits {
  /** The labels for the options. */
  _optionsLabels: readonly string[];
  /** Use a predefined styling for the buttons. */
  buttonStyle: "primary" | "success" | "info" | "warning" | "danger" | "" | null;
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Icons names for each button (FontAwesome names without the fa- prefix). */
  icons: readonly string[];
  /** Selected index. */
  index: number | null;
  get style(): ToggleButtonsStyle;
  set style(value: ToggleButtonsStyle | Init<ToggleButtonsStyleTraits>);
  /** Tooltips for each button. */
  tooltips: readonly string[];
}
export const ToggleButtonsModel: Model = {
  name: "ToggleButtons",
  identity: identity("controls", "ToggleButtons"),
  traits: {
    ...describedTraits,
    _optionsLabels: list(text("")),
    buttonStyle: oneOf("", "primary", "success", "info", "warning", "danger", "", null),
    disabled: bool(false),
    icons: list(text("")),
    index: orNull(int(0)),
    style: part(() => ToggleButtonsStyle),
    tooltips: list(text("")),
  },
};

/** The attributes of `ToggleButtonsStyle`. */
export interface ToggleButtonsStyleTraits {
  /** The width of each button. */
  buttonWidth: string;
  /** Width of the description to the side of the control. */
  descriptionWidth: string;
  /** Text font weight of each button. */
  fontWeight: string;
}
export type ToggleButtonsStyle = WidgetOf<ToggleButtonsStyleTraits>;
/** The `ToggleButtonsStyle` of ipywidgets. */
export const ToggleButtonsStyle: WidgetClass<ToggleButtonsStyleTraits> = widgetClass({
  name: "ToggleButtonsStyle",
  identity: identity("controls", "ToggleButtonsStyle", { name: "StyleView", module: "base" }),
  traits: {
    buttonWidth: text(""),
    descriptionWidth: text(""),
    fontWeight: text(""),
  },
});

/** The attributes of `VBox`. */
export interface VBoxTraits extends DomTraits {
  /** Use a predefined styling for the box. */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
  /** List of widget children. */
  children: readonly WidgetReference[];
}
export type VBox = WidgetOf<VBoxTraits>;
/** The `VBox` of ipywidgets. */
export const VBox: WidgetClass<VBoxTraits> = widgetClass({
  name: "VBox",
  identity: identity("controls", "VBox"),
  traits: {
    ...domTraits,
    boxStyle: oneOf("", "success", "info", "warning", "danger", ""),
    children: list(widget()),
  },
});

/** The attributes of `Valid`. */
export interface ValidTraits extends DescribedTraits {
  /** Enable or disable user changes. */
  disabled: boolean;
  /** Message displayed when the value is False. */
  readout: string;
  /** Styling customizations. */
  get style(): DescriptionStyle;
  set style(value: DescriptionStyle | Init<DescriptionStyleTraits>);
  /** Bool value. */
  value: boolean;
}
export type Valid = WidgetOf<ValidTraits>;
/** The `Valid` of ipywidgets. */
export const Valid: WidgetClass<ValidTraits> = widgetClass({
  name: "Valid",
  identity: identity("controls", "Valid"),
  traits: {
    ...describedTraits,
    disabled: bool(false),
    readout: text("Invalid"),
    style: part(() => DescriptionStyle),
    value: bool(false),
  },
});

/** The attributes of `Video`. */
export interface VideoTraits extends DomTraits {
  /** When true, the video starts when it's displayed. */
  autoplay: boolean;
  /** Specifies that video controls should be displayed (such as a play/pause button etc). */
  controls: boolean;
  /** The format of the video. */
  format: string;
  /** Height of the video in pixels. */
  height: string;
  /** When true, the video will start from the beginning after finishing. */
  loop: boolean;
  /** The media data as a memory view of bytes. */
  value: Uint8Array;
  /** Width of the video in pixels. */
  width: string;
}
export type Video = WidgetOf<VideoTraits>;
/** The `Video` of ipywidgets. */
export const Video: WidgetClass<VideoTraits> = widgetClass({
  name: "Video",
  identity: identity("controls", "Video"),
  traits: {
    ...domTraits,
    autoplay: bool(true),
    controls: bool(true),
    format: text("mp4"),
    height: text(""),
    loop: bool(true),
    value: bytes(),
    width: text(""),
  },
});

/** The attributes of `Output`. */
export interface OutputTraits extends DomTraits {
  /** Parent message id of messages to capture. */
  msgId: string;
  /** The output messages synced from the frontend. */
  outputs: readonly NotebookOutput[];
}
export type Output = WidgetOf<OutputTraits>;
/** The `Output` of ipywidgets. */
export const Output: WidgetClass<OutputTraits> = widgetClass({
  name: "Output",
  identity: identity("output", "Output"),
  traits: {
    ...domTraits,
    msgId: text(""),
    outputs: list(record()),
  },
});
