import MagicString from "magic-string";
import { positionsIn } from "./diagnostic.ts";
import { isPropertyName } from "./scan.ts";
import { boundNames, eachChild, type Node } from "./tree.ts";

export interface Rewrite {
  edited: MagicString;
  /** Names that the cell declares at top level. */
  declared: Set<string>;
}

export interface RewriteOptions {
  host: string;
  cell: number;
  hasValue: boolean;
  /** Whether the cell awaits. Its statements then run in an async function, and its declarations stay outside. */
  asynchronous: boolean;
  /** Statements to run first, and the names that they assign. */
  loads: { text: string; names: string[] };
}

/**
 * Turns a module's JavaScript into a script for V8's REPL mode:
 * - Every top-level declaration becomes `let`, because REPL mode allows redeclaration only from `let` to `let`.
 * - Functions move to the front.
 * - `loads` replaces the import statements, and `import()`, `import.meta` and `Deno` call the host.
 * - The last expression is passed to the host.
 * - The result of each `await` is passed through the host, which throws there when the cell has been interrupted. Otherwise
 *   an interrupted cell would continue when its promise resolves.
 * - Before each `await` the host is told its position, so that an interrupt can name the line.
 *
 * REPL mode supports `await`, but then only the inspector would refer to the promise of a waiting cell, and its reference is
 * weak (see host/run/inspector.ts). So a cell that awaits runs in a function whose promise the host holds.
 */
export function rewrite(code: string, body: Node[], options: RewriteOptions): Rewrite {
  const edited = new MagicString(code);
  const declared = new Set<string>();
  /** Names that are declared at the front and assigned at their original position. */
  const ahead = new Set<string>(options.loads.names);
  const { asynchronous } = options;
  const placeOf = positionsIn(code);
  const last = options.hasValue ? lastExpression(body) : undefined;
  const usesDeno = code.includes("Deno") && !ownDeno.test(code);
  for (const statement of body) {
    rewriteStatement(statement);
    rewriteInside(statement, true);
  }
  if (last) {
    edited.prependRight(last.start, `${options.host}.value(${options.cell},(`);
    edited.appendLeft(last.end, "))");
  }
  for (const name of ahead) declared.add(name);
  if (asynchronous) {
    const enter = enterFunction(options) + options.loads.text;
    // Functions were moved before the statement at offset 0, unless that statement is itself a function.
    const first = body[0];
    if (first?.start === 0 && hoisted(first)) edited.appendLeft(first.end, enter);
    else edited.prependRight(0, enter);
    edited.append("\n})");
  } else for (const statement of body) catchWhatItThrows(statement);
  edited.prepend(`"use strict";${ahead.size > 0 ? `let ${[...ahead].join(",")};` : ""}`);
  return { edited, declared };

  /**
   * Catches what the cell's code throws before V8's inspector sees it: the inspector reads `stack` and `message` of a thrown
   * value, and aborts the process when a looping getter there is terminated.
   */
  function catchWhatItThrows(node: Node): void {
    const declaration = (node.declaration as Node | null | undefined) ?? node;
    if (declaration.type === "VariableDeclaration") {
      if (declaration.kind === "var") catchIn(declaration, "{", "\n});");
      else for (const each of declaration.declarations as Node[]) catchDeclarator(each);
    } else if (/Statement$/.test(node.type)) catchIn(node, "{", "\n});");
    else if (node.type === "ExportDefaultDeclaration" && !declaration.id) catchIn(node, "{", "\n});");
  }

  function catchDeclarator(node: Node): void {
    const id = node.id as Node;
    const init = node.init as Node | null;
    if (!init) return;
    const value = bare(init);
    if (id.type !== "Identifier") {
      // Destructuring may run user code too.
      const names = `{${boundNames(id).join(",")}}`;
      edited.prependRight(node.start, `${names}=${options.host}.sync(()=>{let `);
      edited.appendLeft(node.end, `;return${names}})`);
    } else if (value.type === "ClassExpression" && !value.id) {
      // As the value of a property with the variable's name, the class still gets that name.
      const name = `[${JSON.stringify(id.name)}]`;
      catchIn(init, `({${name}:`, `})${name})`);
    } else if (!neverThrows.test(value.type)) catchIn(init, "(", "))");
  }

  function catchIn({ start, end }: Node, open: string, close: string): void {
    edited.prependRight(start, `${options.host}.sync(()=>${open}`);
    edited.appendLeft(end, close);
  }

  function rewriteStatement(node: Node): void {
    switch (node.type) {
      case "ImportDeclaration":
        edited.remove(node.start, node.end);
        break;
      case "VariableDeclaration":
        if (node.kind === "var") break;
        if (asynchronous) assignWhereItStands(node);
        else {
          for (const name of namesOf(node)) declared.add(name);
          edited.overwrite(node.start, node.start + (node.kind as string).length, "let");
        }
        break;
      case "FunctionDeclaration":
        hoistFunction(node, node);
        break;
      case "ClassDeclaration":
        declareClass(node, node.start);
        break;
      case "ExportNamedDeclaration":
        rewriteExport(node);
        break;
      case "ExportDefaultDeclaration": {
        const declaration = node.declaration as Node;
        if (declaration.type === "FunctionDeclaration" && declaration.id) hoistFunction(declaration, node);
        else if (declaration.type === "ClassDeclaration" && declaration.id) declareClass(declaration, node.start);
        else {
          edited.overwrite(node.start, declaration.start, "void (");
          edited.appendLeft(declaration.end, ")");
        }
        break;
      }
      case "ExportAllDeclaration":
        edited.overwrite(node.start, node.end, bareLoad(node));
        break;
    }
  }

  function rewriteExport(node: Node): void {
    const declaration = node.declaration as Node | null;
    if (!declaration) {
      if (node.source) edited.overwrite(node.start, node.end, bareLoad(node));
      else edited.remove(node.start, node.end);
    } else if (declaration.type === "FunctionDeclaration") {
      hoistFunction(declaration, node);
    } else if (declaration.type === "ClassDeclaration") {
      declareClass(declaration, node.start);
    } else {
      edited.remove(node.start, declaration.start);
      rewriteStatement(declaration);
    }
  }

  function bareLoad(node: Node): string {
    const request = JSON.stringify({ specifier: (node.source as Node).value, names: [] });
    return `${options.host}.awaited(await ${options.host}.load(${options.cell},${request}));`;
  }

  /** `function f(){}` to `let f = function (){}` at the front. Without an inner name, `f` means the variable. */
  function hoistFunction(node: Node, whole: Node): void {
    const id = node.id as Node;
    declared.add(id.name as string);
    if (whole.start < node.start) edited.remove(whole.start, node.start);
    edited.remove(id.start, id.end);
    edited.prependRight(node.start, `let ${id.name}=`);
    edited.appendLeft(node.end, ";");
    if (node.start > 0) edited.move(node.start, node.end, 0);
  }

  function declareClass(node: Node, start: number): void {
    const name = (node.id as Node).name as string;
    (asynchronous ? ahead : declared).add(name);
    if (start < node.start) edited.remove(start, node.start);
    edited.prependRight(node.start, asynchronous ? `${name}=` : `let ${name}=${options.host}.sync(()=>`);
    edited.appendLeft(node.end, asynchronous ? ";" : ");");
  }

  /** Rewrites syntax that may occur at any depth: `import()`, `import.meta`, and, outside functions, `var`. */
  function rewriteInside(node: Node, topScope: boolean): void {
    if (node.type === "ImportExpression") {
      edited.overwrite(node.start, node.start + "import".length, `${options.host}.dynamic(${options.cell})`);
    } else if (node.type === "MetaProperty" && (node.meta as Node).name === "import") {
      edited.overwrite(node.start, node.end, `${options.host}.meta`);
    } else if (node.type === "VariableDeclaration" && node.kind === "var" && topScope) {
      assignWhereItStands(node);
    }
    // `a <!--b` is a comparison in a module, but `<!--` begins a comment in a script.
    if (node.type === "UnaryExpression" && code.startsWith("<!--", node.start - 1))
      edited.prependRight(node.start, " ");
    if (node.type === "ForOfStatement" && node.await === true) {
      const loopBody = node.body as Node;
      if (loopBody.type === "BlockStatement") edited.appendLeft(loopBody.start + 1, `${options.host}.awaited();`);
    }
    const inner = topScope && !opensScope(node);
    eachChild(node, (child, key) => {
      if (usesDeno && isReferenceToDeno(child, node, key))
        edited.overwrite(child.start, child.end, `${options.host}.Deno`);
      if (child.type === "VariableDeclaration" && child.kind === "var" && inner && isLoopHead(node, key)) {
        rewriteLoopHead(child);
        for (const each of child.declarations as Node[]) rewriteInside(each, inner);
      } else rewriteInside(child, inner);
    });
    // After the children, because a child may begin at the same offset.
    if (node.type === "AwaitExpression") rewriteAwait(node);
  }

  function rewriteAwait(node: Node): void {
    const argument = node.argument as Node;
    const { line, column } = placeOf(node.start);
    edited.prependRight(argument.start, `${options.host}.waits(${line},${column},(`);
    edited.appendLeft(argument.end, "))");
    edited.prependRight(node.start, `${options.host}.awaited(`);
    edited.appendLeft(node.end, ")");
  }

  /** Turns `const a = 1, { b } = o` into `void (a = 1, { b } = o)`. A declaration without a value is only removed. */
  function assignWhereItStands(node: Node): void {
    for (const name of namesOf(node)) ahead.add(name);
    const declarations = node.declarations as Node[];
    edited.overwrite(node.start, node.start + (node.kind as string).length, "void(");
    edited.appendLeft((declarations.at(-1) as Node).end, ")");
  }

  function rewriteLoopHead(node: Node): void {
    for (const name of namesOf(node)) ahead.add(name);
    edited.remove(node.start, node.start + (node.kind as string).length);
  }
}

/** The beginning of the function in which an asynchronous cell's statements run. */
export function enterFunction({ host, cell }: Pick<RewriteOptions, "host" | "cell">): string {
  return `${host}.run(${cell},async()=>{`;
}

/** A cell that declares the name has its own. */
const ownDeno = /\b(?:const|let|var|class|function|enum|namespace|as)\s+Deno\b|\bimport\s+Deno\b/;

function isReferenceToDeno(node: Node, parent: Node, key: string): boolean {
  if (node.type !== "Identifier" || node.name !== "Deno" || parent.shorthand === true) return false;
  return !isPropertyName(parent, key) && !/^(?:Import|Export)/.test(parent.type);
}

/** Expressions that cannot throw. They are not wrapped, so that a function still gets its variable's name. */
const neverThrows = /^(Literal|ArrowFunctionExpression|FunctionExpression)$/;

/** Removes parentheses: a function in parentheses gets its variable's name too, as in `let a = (f)`. */
function bare(node: Node): Node {
  return node.type === "ParenthesizedExpression" ? bare(node.expression as Node) : node;
}

function namesOf(declaration: Node): string[] {
  return (declaration.declarations as Node[]).flatMap((each) => boundNames(each.id as Node));
}

function hoisted(statement: Node): boolean {
  const declaration = (statement.declaration as Node | null | undefined) ?? statement;
  return declaration.type === "FunctionDeclaration" && declaration.id != null;
}

function opensScope(node: Node): boolean {
  return /Function|^StaticBlock$|^PropertyDefinition$/.test(node.type);
}

function isLoopHead(node: Node, key: string): boolean {
  return (
    (node.type === "ForStatement" && key === "init") || (/^For(In|Of)Statement$/.test(node.type) && key === "left")
  );
}

/** The last statement's expression. When `using` was lowered, it is the last one in the `try` block around the cell. */
function lastExpression(body: Node[]): Node | undefined {
  // esbuild writes a cell's exports at its end.
  const last = body.findLast((each) => each.type !== "ExportNamedDeclaration" || each.declaration != null);
  if (last?.type === "ExpressionStatement") return last.expression as Node;
  if (last?.type === "TryStatement") return lastExpression((last.block as Node).body as Node[]);
  return undefined;
}
