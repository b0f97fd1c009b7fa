import { liveBytes, recordPeak } from "../../allocation-tracker.ts";
import { captureAddon } from "./addon.ts";

/** Runs a function of TensorFlow, and records the most memory that it had at one time, results included. */
export function measured<T>(run: () => T): T {
  const capture = captureAddon();
  const cpuMemory = "addon" in capture ? capture.addon.cpuMemory : undefined;
  const before = cpuMemory?.(true);
  const live = liveBytes();
  const made = run();
  const after = before && cpuMemory!(false);
  // The results are alive by now.
  if (after) recordPeak(after[1] - before[0] - (liveBytes() - live));
  return made;
}
