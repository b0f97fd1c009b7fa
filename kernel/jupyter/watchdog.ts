/**
 * A thread of the kernel's process that ends the process when its front end is gone and its main thread is too busy to. The
 * host and what cells have started end with it (see host/run/interrupt-thread.ts).
 */
import { watchParent } from "./parent.ts";

/** Milliseconds in which the main thread shuts down by itself and announces it to its clients. */
const endsWithin = 2000;

watchParent(() => setTimeout(() => process.kill(process.pid, "SIGKILL"), endsWithin));
// Whatever else it waits for may not keep a thread.
setInterval(() => {}, 2 ** 30);
