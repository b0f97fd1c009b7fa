/** The kernelspec tells Jupyter how to start this kernel and how to show it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { refusing, writeWhole } from "../../src/base/files.ts";
import { makeFolder } from "../../src/base/folders.ts";
import type { TypeErrorPolicy } from "../check/report/policy.ts";
import { assets, kernelMain } from "./assets.ts";
import { type InstallTarget, jupyterPackages, kernelsFolder, searchedFolders, sitePackages } from "./folders.ts";
import { addPapermillPlugin, removePapermillPlugin } from "./papermill.ts";

export const KERNEL_NAME = "halftone";
export const DISPLAY_NAME = "TypeScript (Halftone)";

const logos = ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"];

/** `types`: the default policy for type errors. */
export function kernelspec(types?: TypeErrorPolicy, figures?: "image"): object {
  return {
    argv: [process.execPath, kernelMain, "{connection_file}"],
    display_name: DISPLAY_NAME,
    language: "typescript",
    interrupt_mode: "message",
    kernel_protocol_version: "5.5",
    // TensorFlow takes all of the GPU's memory at once otherwise, and a second notebook gets none.
    env: {
      TF_FORCE_GPU_ALLOW_GROWTH: "true",
      ...(types === undefined ? {} : { HALFTONE_TYPES: types }),
      ...(figures === undefined ? {} : { HALFTONE_FIGURES: figures }),
    },
    metadata: { debugger: true, supported_encryption: ["curve"] },
  };
}

/** The Python packages whose JupyterLab extensions draw figures and widgets. */
const FOR_FIGURES = ["plotly", "ipywidgets"] as const;

const ELSEWHERE = "choose another location with --prefix FOLDER or --sys-prefix";

export interface Installed {
  folder: string;
  /** Where papermill learns of TypeScript; undefined when that place has no Python, or one that cannot be written. */
  papermill: string | undefined;
  /** The Python of the Jupyter of that place; undefined when there is none. */
  jupyter: string | undefined;
  /** What the Jupyter of that place lacks, and the line that brings it; undefined when it has all, or there is no Jupyter. */
  lacking: { packages: (typeof FOR_FIGURES)[number][]; bringing: string } | undefined;
}

/** Writes the kernelspec, replacing one of the same name file by file: several processes may install at once, and Jupyter read. */
export function install(place: InstallTarget, types?: TypeErrorPolicy): Installed {
  const folder = path.join(kernelsFolder(place), KERNEL_NAME);
  const jupyter = jupyterPackages(place);
  const missing = jupyter ? FOR_FIGURES.filter((name) => !jupyter.packages.includes(name)) : [];
  const figures = missing.includes("plotly") ? "image" : undefined;
  refusing(folder, () => makeFolder(folder), ELSEWHERE);
  for (const logo of logos) writeWhole(path.join(folder, logo), readFileSync(path.join(assets, logo)), ELSEWHERE);
  const spec = `${JSON.stringify(kernelspec(types, figures), null, 2)}\n`;
  writeWhole(path.join(folder, "kernel.json"), spec, ELSEWHERE);
  const packages = sitePackages(place);
  const lacking =
    jupyter && missing.length > 0
      ? { packages: missing, bringing: `${jupyter.python} -m pip install ${missing.join(" ")}` }
      : undefined;
  return { folder, papermill: packages && addPapermillPlugin(packages), jupyter: jupyter?.python, lacking };
}

/** Removes what `install` wrote there. Undefined when there was nothing. */
export function uninstall(place: InstallTarget): string | undefined {
  const packages = sitePackages(place);
  if (packages) refusing(packages, () => removePapermillPlugin(packages), ELSEWHERE);
  const folder = path.join(kernelsFolder(place), KERNEL_NAME);
  if (!existsSync(folder)) return undefined;
  refusing(folder, () => rmSync(folder, { recursive: true }), ELSEWHERE);
  return folder;
}

export interface Found {
  folder: string;
  displayName: string;
  /** Why Jupyter cannot start it. */
  problem: string | undefined;
}

/** Every kernelspec of this name in the folders that Jupyter searches; the first is the one that it starts. */
export function list(): Found[] {
  return searchedFolders()
    .map((folder) => path.join(folder, KERNEL_NAME))
    .filter((folder) => existsSync(path.join(folder, "kernel.json")))
    .map(describe);
}

function describe(folder: string): Found {
  try {
    const spec = JSON.parse(readFileSync(path.join(folder, "kernel.json"), "utf8")) as {
      argv?: string[];
      display_name?: string;
    };
    const missing = spec.argv?.slice(0, 2).find((file) => !existsSync(file));
    const problem = missing && `${missing} no longer exists: run \`halftone install\` again`;
    return { folder, displayName: spec.display_name ?? KERNEL_NAME, problem };
  } catch (error) {
    return {
      folder,
      displayName: KERNEL_NAME,
      problem: `kernel.json: ${error instanceof Error ? error.message : error}`,
    };
  }
}
