import type { DataStorage, TensorData } from "./backend.ts";
import * as hooks from "./hooks.ts";
import { patch } from "./patch.ts";

/** Installs the hooks in a backend's map of data. */
export function patchStorage<Data extends TensorData>(storage: DataStorage<Data>): void {
  patch(storage, "DataStorage", "set", (set) => (dataId, data) => {
    set.call(storage, dataId, data);
    const { subscribers } = hooks.created;
    for (let i = 0; i < subscribers.length; i++) subscribers[i]!(dataId, data);
  });
  patch(storage, "DataStorage", "delete", (remove) => (dataId) => {
    const { subscribers } = hooks.disposed;
    if (subscribers.length > 0) {
      const data = storage.data.get(dataId);
      for (let i = 0; i < subscribers.length; i++) subscribers[i]!(data);
    }
    return remove.call(storage, dataId);
  });
}
