import { nativeBackend } from "../backend.ts";
import { bindingAddon, type LoadedBinding } from "../binding/addon.ts";

/** The addon, or why steps are not captured. */
export function captureAddon(): LoadedBinding {
  const binding = bindingAddon();
  if ("fault" in binding) return binding;
  return nativeBackend().isUsingGpuDevice ? { fault: "they are captured on the CPU only" } : binding;
}
