export { type NativeOp, type Policy, type RunOp, standAtDoor } from "./door.ts";

import "./announce.ts";

export { bytesOf } from "./account.ts";
export { type GatedOp, type Guard, setGuard } from "./gate.ts";
export type { RuntimeInfo } from "./info.ts";
export { begin, type Lasting, onStopped, stopIfInterrupted, uninterrupted } from "./interrupts.ts";
export { currentLayer, inLayer, layer, observeLayers } from "./layers.ts";
export {
  allHeld,
  type Cause,
  type Held,
  type LedgerListener,
  listen,
  liveBytes,
  type NativeMemory,
  nativeMemory,
  type OpMemory,
  resetPeak,
} from "./ledger.ts";
export { ready, runtimeInfo, tf } from "./load.ts";
export { nativeBackend, scalarValues } from "./native/backend.ts";
export { bitcast, castThrough, doubleTensor, nativeCast, nativeStorageOf } from "./native/cast.ts";
export { joined, parted } from "./native/flatten.ts";
export { bool, float, int, integers, isNative, nativeOp, nativeOpOf, scalar } from "./native/op.ts";
export { scalarOf } from "./native/scalar.ts";
export { onFirstStorage } from "./native/storage.ts";
export { bytesPerNumber, checkStorage, promoted, type Storage, storageNames, typeOf } from "./native/storage-types.ts";
export { attribute, collect, memoryOf, pendingBytes, settleCauses } from "./tensor-lifetimes.ts";
