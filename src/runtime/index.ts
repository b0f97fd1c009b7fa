export { interceptOps, type OpInterceptor } from "./intercept-ops.ts";

import "./native/axis-kernels.ts";
import "./publish.ts";

export {
  type Allocation,
  type AllocationListener,
  liveAllocations,
  liveBytes,
  type MemoryCategory,
  type NativeMemory,
  nativeMemory,
  type OpMemory,
  onAllocation,
  resetPeak,
} from "./allocation-tracker.ts";
export type { RuntimeInfo } from "./info.ts";
export { begin, type Lasting, onStopped, stopIfInterrupted, uninterrupted } from "./interrupts.ts";
export { observeLayers } from "./layer-gradients.ts";
export { engine, ready, runtimeInfo, tf } from "./load.ts";
export { localEntry, nativeBackend, scalarValues } from "./native/backend.ts";
export { bitcast, castThrough, doubleTensor, nativeCast, nativeStorageOf } from "./native/cast.ts";
export { integers, scalar } from "./native/constants.ts";
export { flatten, unflatten } from "./native/flatten.ts";
export { setKernels } from "./native/kernels/index.ts";
export { bool, float, int, isNative, nativeOp, nativeOpOf } from "./native/op.ts";
export { isNumber, scalarOf } from "./native/scalar.ts";
export { onFirstStorage } from "./native/storage.ts";
export { bytesPerNumber, checkStorage, promoted, type Storage, storageNames, typeOf } from "./native/storage-types.ts";
export { addOpGuard, type GatedOp, type OpGuard } from "./op-guard.ts";
export { currentProfileScope, profileScope } from "./profile-scope.ts";
export { categorize, collect, memoryOf, pendingBytes, settleCauses } from "./tensor-lifetimes.ts";
export { type Engine, type TapeNode, unrecorded } from "./tfjs/engine.ts";
export type { NativeOp, RunOp } from "./tfjs/hooks.ts";
export * as hooks from "./tfjs/hooks.ts";
export { extendTensors } from "./tfjs/patch.ts";
export { extendReach, isReached, type Reach, reach, setReach } from "./tfjs/reach.ts";
export { bytesOf } from "./tracked-binding.ts";
