/** A front end's debugger: requests on control, events on iopub, each message valid by the protocol's own schema. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type Schema, Validator } from "@cfworker/json-schema";
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Json } from "../../kernel/jupyter/messages.ts";
import { type Client, startKernel } from "../jupyter/client.ts";
import type { Exchange } from "../jupyter/exchange.ts";

const schemaFile = new URL("../../../test/debug/fixtures/debugProtocol.json.gz", import.meta.url);
const schema = JSON.parse(gunzipSync(readFileSync(schemaFile)).toString()) as { definitions: Record<string, Schema> };
const validators = new Map<string, Validator>();

/** Throws unless the message is what the schema defines under this name, if it does. */
function validate(message: object, name: string): void {
  if (!schema.definitions[name]) return;
  let validator = validators.get(name);
  if (!validator) {
    validator = new Validator({ $ref: `#/definitions/${name}`, definitions: schema.definitions }, "4");
    validators.set(name, validator);
  }
  const { valid, errors } = validator.validate(message);
  const problems = errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`).join("\n");
  assert.ok(valid, `${name} ${JSON.stringify(message)}\n${problems}`);
}

const definitionOf = (name: string, suffix: string): string => `${name[0]!.toUpperCase()}${name.slice(1)}${suffix}`;

export interface Variable extends DebugProtocol.Variable {}

export class DebugClient {
  readonly kernel: Client;
  #seq = 0;

  constructor(kernel: Client) {
    this.kernel = kernel;
  }

  /** The response, whether it succeeded or not. */
  async ask(command: string, given: object = {}): Promise<DebugProtocol.Response> {
    const request = { type: "request", seq: ++this.#seq, command, arguments: given };
    const reply = await this.kernel.ask("debug_request", request, "control");
    const response = reply as unknown as DebugProtocol.Response;
    assert.deepEqual([response.type, response.request_seq, response.command], ["response", request.seq, command]);
    validate(response, response.success ? definitionOf(command, "Response") : "Response");
    return response;
  }

  /** The body of a response, which succeeds. */
  async body<Body>(command: string, given: object = {}): Promise<Body> {
    const { success, message, body } = await this.ask(command, given);
    assert.ok(success, `${command}: ${message}`);
    return body as Body;
  }

  /** The sentence of a response, which fails. */
  async refusal(command: string, given: object = {}): Promise<string> {
    const { success, message = "" } = await this.ask(command, given);
    assert.equal(success, false, `${command} succeeded`);
    return message;
  }

  async attach(): Promise<void> {
    await this.body("initialize", { clientID: "test", adapterID: "halftone" });
    await this.event(this.kernel.about(), "initialized");
    await this.body("attach");
  }

  /** The next message about a cell is this event; gives its body. */
  async event(of: Exchange, name: string): Promise<Json> {
    await of.several("busy");
    const [message] = await of.take("debug_event");
    const event = message!.content as unknown as DebugProtocol.Event;
    assert.equal(event.event, name, JSON.stringify(event));
    validate(event, definitionOf(name, "Event"));
    return (event.body ?? {}) as Json;
  }

  /** Sends a cell as a front end does before it runs; gives its path. */
  async dump(code: string): Promise<string> {
    return (await this.body<{ sourcePath: string }>("dumpCell", { code })).sourcePath;
  }

  /** Sets breakpoints in a cell. */
  async breakpoints(
    code: string,
    ...points: (number | DebugProtocol.SourceBreakpoint)[]
  ): Promise<DebugProtocol.Breakpoint[]> {
    return this.breakpointsAt(await this.dump(code), ...points);
  }

  async breakpointsAt(
    path: string,
    ...points: (number | DebugProtocol.SourceBreakpoint)[]
  ): Promise<DebugProtocol.Breakpoint[]> {
    const breakpoints = points.map((each) => (typeof each === "number" ? { line: each } : each));
    const body = await this.body<DebugProtocol.SetBreakpointsResponse["body"]>("setBreakpoints", {
      source: { path },
      breakpoints,
      sourceModified: false,
    });
    return body.breakpoints;
  }

  /** Runs a cell that stops at once; gives it and the stop. */
  async stops(code: string, reason: string): Promise<Exchange> {
    const cell = this.kernel.execute(code);
    await cell.starts();
    await this.stopped(cell, reason);
    return cell;
  }

  async stopped(cell: Exchange, reason: string): Promise<Json> {
    const body = await this.event(cell, "stopped");
    assert.equal(body.reason, reason);
    return body;
  }

  async frames(): Promise<DebugProtocol.StackFrame[]> {
    return (await this.body<DebugProtocol.StackTraceResponse["body"]>("stackTrace", { threadId: 1 })).stackFrames;
  }

  /** The stack in words: `double:3 < cell [1]:8`. */
  async where(): Promise<string> {
    return (await this.frames()).map(({ name, line }) => `${name.replace(/ \[\d+\]/, "")}:${line}`).join(" < ");
  }

  async scopes(frame = 0): Promise<DebugProtocol.Scope[]> {
    const { id } = (await this.frames())[frame]!;
    return (await this.body<DebugProtocol.ScopesResponse["body"]>("scopes", { frameId: id })).scopes;
  }

  async variables(variablesReference: number, page: object = {}): Promise<Variable[]> {
    const given = { variablesReference, ...page };
    return (await this.body<DebugProtocol.VariablesResponse["body"]>("variables", given)).variables;
  }

  /** The variables of a scope by name. */
  async scope(name: string, frame = 0): Promise<Map<string, Variable>> {
    const found = (await this.scopes(frame)).find((each) => each.name === name);
    assert.ok(found, `no scope ${name}`);
    const variables = await this.variables(found.variablesReference);
    return new Map(variables.map((each) => [each.name, each]));
  }

  /** An expression's value as text, on the innermost frame. */
  async value(expression: string): Promise<string> {
    const [frame] = await this.frames();
    const given = { expression, frameId: frame!.id };
    return (await this.body<DebugProtocol.EvaluateResponse["body"]>("evaluate", given)).result;
  }

  /** Lets the program go on. */
  async goOn(cell: Exchange): Promise<void> {
    await this.moves(cell, "continue");
  }

  /** One step; the stack after it. */
  async step(cell: Exchange, command: "next" | "stepIn" | "stepOut"): Promise<string> {
    await this.moves(cell, command);
    await this.stopped(cell, "step");
    return this.where();
  }

  async moves(cell: Exchange, command: "continue" | "next" | "stepIn" | "stepOut"): Promise<void> {
    await this.body(command, { threadId: 1 });
    await this.event(cell, "continued");
  }

  /** A cell that runs publishes exactly these to its end; gives their contents. */
  async ends(cell: Exchange, ...kinds: string[]): Promise<Json[]> {
    const contents: Json[] = [];
    for (const kind of [...kinds, "idle"]) {
      await cell.several("busy");
      contents.push((await cell.take(kind))[0]!.content);
    }
    contents.pop();
    await cell.reply();
    return contents;
  }
}

export async function startDebugging(env: Record<string, string> = {}): Promise<DebugClient> {
  return new DebugClient(await startKernel({ env: { HALFTONE_TYPES: "off", ...env } }));
}
