/** Breakpoints of the debugger's own, until the next stop. */
import type { Protocol } from "devtools-protocol";
import type { HostInspector } from "../session/inspector.ts";

/** More places of one function are not stopped at. */
const mostPlaces = 500;

export class TemporaryBreakpoints {
  readonly #inspector: HostInspector;
  #ids: string[] = [];

  constructor(inspector: HostInspector) {
    this.#inspector = inspector;
  }

  async set(request: Protocol.Debugger.SetBreakpointByUrlRequest): Promise<void> {
    const { breakpointId } = await this.#inspector.post("Debugger.setBreakpointByUrl", request);
    this.#ids.push(breakpointId);
  }

  /** Stops wherever the function at this place goes on, from the place to the function's end. */
  async setAround(start: Protocol.Debugger.Location | undefined): Promise<void> {
    if (!start) return;
    const { scriptId, lineNumber, columnNumber = 0 } = start;
    const { locations } = await this.#inspector.post("Debugger.getPossibleBreakpoints", {
      start: { scriptId, lineNumber, columnNumber },
      restrictToFunction: true,
    });
    const set = locations.slice(0, mostPlaces).map(async ({ scriptId, lineNumber, columnNumber }) => {
      const location = { scriptId, lineNumber, ...(columnNumber === undefined ? {} : { columnNumber }) };
      const { breakpointId } = await this.#inspector.post("Debugger.setBreakpoint", { location });
      this.#ids.push(breakpointId);
    });
    // One is refused where the person has one.
    await Promise.allSettled(set);
  }

  async remove(): Promise<void> {
    const ids = this.#ids;
    this.#ids = [];
    await Promise.allSettled(
      ids.map((breakpointId) => this.#inspector.post("Debugger.removeBreakpoint", { breakpointId })),
    );
  }
}
