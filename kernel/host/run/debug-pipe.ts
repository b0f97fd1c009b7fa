/** The debugger's inspector session on the main thread, and the pipe by which the kernel process uses it. */
import { type InspectorNotification, Session } from "node:inspector";
import { Socket } from "node:net";
import { encodeFrame, FrameReader } from "../../protocol/frames.ts";
import { type DebugCommand, type DebugMessage, fds } from "../../protocol/host.ts";

type Post = (method: string, params: object, done?: (error: Error | null, result?: object) => void) => void;

/**
 * Passes requests of the Chrome DevTools Protocol on to V8, and its answers and events back. The session opens with the first
 * request; until then it costs nothing. The pipe is the debugger's alone: none of its messages may be dropped or cut, and
 * `Debugger.enable` alone sends hundreds.
 */
export class DebugPipe {
  readonly #pipe = new Socket({ fd: fds.debug });
  #session: Session | undefined;

  constructor() {
    const reader = new FrameReader();
    this.#pipe.on("data", (chunk: Buffer) => {
      for (const frame of reader.read(chunk)) this.#receive(JSON.parse(frame.body.toString("utf8")) as DebugCommand);
    });
    // The guard's own pipe ends this process when the kernel process is gone.
    this.#pipe.on("error", () => {});
  }

  /** Lets code that the debugger has stopped go on, so that the termination that was requested ends it. */
  release(): void {
    this.#post("Debugger.resume", {});
  }

  /** Ends the session; V8 forgets its breakpoints, and stopped code goes on. */
  detach(): void {
    this.#session?.disconnect();
    this.#session = undefined;
  }

  #receive(command: DebugCommand): void {
    if (command.type === "detach") this.detach();
    else {
      this.#session ??= this.#connect();
      const { id, method, params } = command;
      this.#post(method, params, (error, result) => {
        this.#send(error ? { id, error: messageOf(error) } : { id, result: result ?? {} });
      });
    }
  }

  #connect(): Session {
    const session = new Session();
    session.connectToMainThread();
    session.on("inspectorNotification", ({ method, params }: InspectorNotification<object>) =>
      this.#send({ method, params: params ?? {} }),
    );
    return session;
  }

  #post(method: string, params: object, done?: (error: Error | null, result?: object) => void): void {
    try {
      (this.#session?.post as Post | undefined)?.call(this.#session, method, params, done);
    } catch (error) {
      done?.(error as Error);
    }
  }

  #send(message: DebugMessage): void {
    this.#pipe.write(encodeFrame(message));
  }
}

/** V8's own words: Node puts "Inspector error -32000: " before them. */
function messageOf({ message }: Error): string {
  return message.replace(/^Inspector error -?\d+: /, "");
}
