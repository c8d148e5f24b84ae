/**
 * Where the library refuses something, and how each of these checks is taken out.
 *
 * A refusal is an error that says that an archive is not to be believed, that a registry's answer is
 * wrong, that a key is none, or that a file changed. Found are: the conditions that lead to one, each
 * part of them by itself, also where a function tells true from false for them; refusals without a
 * condition; and calls of functions that do nothing but check.
 *
 * @module
 */

import ts from "npm:typescript@6.0.3";
import { ERROR_CODES } from "../../lib/errors.ts";

/** A change to one text. */
export interface Edit {
  /** Offset of the first character that goes. */
  readonly start: number;
  /** Offset behind the last one. */
  readonly end: number;
  /** What takes their place. */
  readonly text: string;
}

/** A check, and how to take it out. */
export interface Site {
  /** The file's path from the root of the checkout. */
  readonly file: string;
  readonly line: number;
  /** What is taken out, on one line. */
  readonly what: string;
  readonly edit: Edit;
  /** Of a condition: the value that takes its place, and whether asking for it does anything else. */
  readonly condition?: { readonly instead: boolean; readonly pure: boolean };
}

/** The errors whose checks are looked for. */
const CODES: ReadonlySet<string> = new Set(
  Object.entries(ERROR_CODES)
    .filter(([code, { category }]) =>
      category === "untrusted" || /^ERR_(REGISTRY|KEY)_/.test(code) || code === "ERR_FILE_CHANGED"
    )
    .map(([code]) => code),
);

/** Errors that a caller tries again after, or makes one of these of. */
const INNER: ReadonlySet<string> = new Set(["TransientError", "SyntaxError", "RangeError"]);

type FunctionNode =
  | ts.FunctionDeclaration
  | ts.FunctionExpression
  | ts.ArrowFunction
  | ts.MethodDeclaration
  | ts.GetAccessorDeclaration;

/**
 * Finds the checks in sources.
 *
 * @param sources The text of each file of the library, by its path from the root of the checkout:
 * all of them, since a check may be in another file than what calls it.
 * @returns The checks in the order of the files.
 */
export function findSites(sources: ReadonlyMap<string, string>): Site[] {
  const program = new Program(sources);
  const sites = new Map<string, Site>();
  for (const file of program.files.values()) {
    for (const site of new Search(program, file).run()) {
      const { start, end, text } = site.edit;
      const key = `${site.file} ${start} ${end} ${text}`;
      // One that several conditions ask is taken out once.
      if (!sites.has(key)) sites.set(key, site);
    }
  }
  return [...sites.values()].sort((a, b) =>
    a.file === b.file ? a.edit.start - b.edit.start : a.file < b.file ? -1 : 1
  );
}

/** The files, and what is called what in them. */
class Program {
  readonly files = new Map<string, ts.SourceFile>();
  readonly #functions = new Map<ts.SourceFile, Map<string, FunctionNode[]>>();
  readonly #methods = new Map<string, FunctionNode[]>();
  readonly #imports = new Map<ts.SourceFile, Map<string, ts.SourceFile>>();
  readonly #returned = new Map<FunctionNode, ReadonlySet<string>>();
  readonly #thrown = new Map<FunctionNode, ReadonlySet<string>>();

  constructor(sources: ReadonlyMap<string, string>) {
    for (const [path, text] of sources) {
      const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
      this.files.set(path, file);
    }
    for (const file of this.files.values()) this.#read(file);
  }

  #read(file: ts.SourceFile): void {
    const functions = new Map<string, FunctionNode[]>();
    const imports = new Map<string, ts.SourceFile>();
    this.#functions.set(file, functions);
    this.#imports.set(file, imports);
    const add = (map: Map<string, FunctionNode[]>, name: string, node: FunctionNode): void => {
      map.set(name, [...map.get(name) ?? [], node]);
    };
    visit(file, (node) => {
      if (ts.isFunctionDeclaration(node) && node.name) add(functions, node.name.text, node);
      else if (
        (ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node)) &&
        (ts.isIdentifier(node.name) || ts.isPrivateIdentifier(node.name))
      ) {
        // A private method is called in its own file alone.
        if (ts.isPrivateIdentifier(node.name)) add(functions, node.name.text, node);
        else add(this.#methods, node.name.text, node);
      } else if (
        ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer &&
        (ts.isArrowFunction(node.initializer) || ts.isFunctionExpression(node.initializer))
      ) add(functions, node.name.text, node.initializer);
      else if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
        const from = this.files.get(join(file.fileName, node.moduleSpecifier.text));
        const names = node.importClause?.namedBindings;
        if (!from || !names || !ts.isNamedImports(names)) return;
        for (const { name } of names.elements) imports.set(name.text, from);
      }
    });
  }

  /** The functions that a call may be of. */
  calledBy(callee: ts.Expression): readonly FunctionNode[] {
    const file = callee.getSourceFile();
    if (ts.isIdentifier(callee)) {
      const name = callee.text;
      const own = this.#functions.get(file)?.get(name);
      if (own) return own;
      const from = this.#imports.get(file)?.get(name);
      return from && this.#functions.get(from)?.get(name) || [];
    }
    if (ts.isPropertyAccessExpression(callee)) {
      const { name } = callee;
      if (ts.isPrivateIdentifier(name)) return this.#functions.get(file)?.get(name.text) ?? [];
      // Another class may have a method of that name: those are meant whose file is at hand.
      const near = new Set([file, ...this.#imports.get(file)?.values() ?? []]);
      return (this.#methods.get(name.text) ?? []).filter((f) => near.has(f.getSourceFile()));
    }
    return [];
  }

  /** The codes that an expression's value may be an error of. */
  codesOf(expression: ts.Expression): ReadonlySet<string> {
    const node = bare(expression);
    if (ts.isNewExpression(node)) {
      const name = node.expression.getText();
      if (INNER.has(name)) return new Set([name]);
      const [code] = node.arguments ?? [];
      return name === "ParError" && code ? this.#codesIn(code) : NONE;
    }
    if (ts.isCallExpression(node)) {
      return union([
        ...node.arguments.filter(ts.isStringLiteral).map(literal),
        ...this.calledBy(node.expression).map((called) => this.#codesReturned(called)),
      ]);
    }
    if (ts.isConditionalExpression(node)) {
      return union([this.codesOf(node.whenTrue), this.codesOf(node.whenFalse)]);
    }
    if (ts.isBinaryExpression(node) && isChoice(node.operatorToken.kind)) {
      return union([this.codesOf(node.left), this.codesOf(node.right)]);
    }
    if (ts.isArrayLiteralExpression(node)) {
      return union(node.elements.map((element) => this.codesOf(element)));
    }
    return NONE;
  }

  /** The codes that a call of a function may throw, where its value is of no interest. */
  codesThrownBy(called: FunctionNode): ReadonlySet<string> {
    const known = this.#thrown.get(called);
    if (known) return known;
    this.#thrown.set(called, NONE); // for functions that call themselves
    const codes: ReadonlySet<string>[] = [];
    visitOwn(called, (node) => {
      if (ts.isThrowStatement(node)) codes.push(this.codesOf(node.expression));
      const call = ts.isExpressionStatement(node) && callOf(node.expression);
      if (call) codes.push(...this.calledBy(call.expression).map((f) => this.codesThrownBy(f)));
    });
    const result = union(codes);
    this.#thrown.set(called, result);
    return result;
  }

  #codesReturned(called: FunctionNode): ReadonlySet<string> {
    const known = this.#returned.get(called);
    if (known) return known;
    this.#returned.set(called, NONE);
    const result = union(returnsOf(called).map((value) => this.codesOf(value)));
    this.#returned.set(called, result);
    return result;
  }

  /** The codes in the place of a code: texts, or those that a parameter's type names. */
  #codesIn(code: ts.Expression): ReadonlySet<string> {
    const found: ReadonlySet<string>[] = [];
    const collect = (node: ts.Node): void => {
      if (ts.isStringLiteral(node)) found.push(literal(node));
    };
    visit(code, collect);
    if (ts.isIdentifier(code)) {
      const scope = ts.findAncestor(code, isFunctionNode);
      const parameter = scope?.parameters.find(({ name }) => name.getText() === code.text);
      if (parameter?.type) visit(parameter.type, collect);
    }
    return union(found);
  }
}

/** Looks through one file. */
class Search {
  readonly #program: Program;
  readonly #file: ts.SourceFile;
  readonly #sites: Site[] = [];

  constructor(program: Program, file: ts.SourceFile) {
    this.#program = program;
    this.#file = file;
  }

  run(): Site[] {
    visit(this.#file, (node) => {
      if (ts.isThrowStatement(node) || ts.isReturnStatement(node)) this.#refusal(node);
      else if (ts.isConditionalExpression(node)) this.#choice(node);
      else if (ts.isExpressionStatement(node)) this.#call(node);
      else if (ts.isSpreadElement(node)) this.#spread(node);
    });
    return this.#sites;
  }

  /** `if (…) throw …`, `throw …`, `if (…) return …`. */
  #refusal(node: ts.ThrowStatement | ts.ReturnStatement): void {
    const codes = node.expression ? this.#program.codesOf(node.expression) : NONE;
    if (codes.size === 0) return;
    const guard = guardOf(node);
    if (guard) this.#narrow(guard.expression, true, codes);
    else if (ts.isThrowStatement(node)) this.#add(node, "{}", codes);
  }

  /** `… ? pass(…) : fail(…)`. */
  #choice(node: ts.ConditionalExpression): void {
    if (ts.findAncestor(node, ts.isThrowStatement)) return;
    const whenTrue = this.#program.codesOf(node.whenTrue);
    const whenFalse = this.#program.codesOf(node.whenFalse);
    if (whenTrue.size > 0 && whenFalse.size === 0) this.#narrow(node.condition, true, whenTrue);
    if (whenFalse.size > 0 && whenTrue.size === 0) this.#narrow(node.condition, false, whenFalse);
  }

  /** `check(…);` */
  #call(node: ts.ExpressionStatement): void {
    const call = callOf(node.expression);
    if (!call) return;
    const called = this.#program.calledBy(call.expression);
    const codes = union(called.map((each) => this.#program.codesThrownBy(each)));
    if (codes.size > 0) this.#add(node, "{}", codes);
  }

  /** `[...check(…)]`. */
  #spread(node: ts.SpreadElement): void {
    const codes = this.#program.codesOf(node.expression);
    if (codes.size > 0) this.#add(node.expression, "[]", codes);
  }

  /**
   * Makes a condition hold less often, in every way that takes one check out of it.
   *
   * @param wanted Whether what it decides happens where it holds, or where it does not.
   * @param depth How far to follow the functions that it asks.
   */
  #narrow(
    condition: ts.Expression,
    wanted: boolean,
    codes: ReadonlySet<string>,
    depth = 0,
  ): void {
    for (const leaf of leavesOf(condition, wanted)) {
      const instead = !leaf.wanted;
      this.#add(leaf.node, String(instead), codes, { instead, pure: isPure(leaf.node) });
      const node = bare(leaf.node);
      if (!ts.isCallExpression(node) || depth > 2) continue;
      for (const called of this.#program.calledBy(node.expression)) {
        if (!tellsTrueFromFalse(called)) continue;
        for (const value of returnsOf(called)) {
          if (isLiteral(value, !leaf.wanted)) continue;
          const search = new Search(this.#program, called.getSourceFile());
          search.#narrow(value, leaf.wanted, codes, depth + 1);
          this.#sites.push(...search.#sites);
        }
      }
    }
  }

  #add(
    node: ts.Node,
    text: string,
    codes: ReadonlySet<string>,
    condition?: Site["condition"],
  ): void {
    const file = this.#file.fileName;
    const start = node.getStart();
    const end = node.getEnd();
    const line = this.#file.getLineAndCharacterOfPosition(start).line + 1;
    const gone = node.getText().replace(/\s+/g, " ");
    const shown = gone.length > 70 ? `${gone.slice(0, 69)}…` : gone;
    const what = `${shown}  [${[...codes].sort().slice(0, 3).join(", ")}]`;
    const edit = { start, end, text };
    this.#sites.push({ file, line, what, edit, ...(condition && { condition }) });
  }
}

const NONE: ReadonlySet<string> = new Set();

/** The parts of a condition that each make it hold: of a disjunction each, of a negation its parts. */
function leavesOf(
  expression: ts.Expression,
  wanted: boolean,
): { readonly node: ts.Expression; readonly wanted: boolean }[] {
  const node = ts.isParenthesizedExpression(expression) ? bare(expression) : expression;
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return leavesOf(node.operand, !wanted);
  }
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    const any = wanted ? ts.SyntaxKind.BarBarToken : ts.SyntaxKind.AmpersandAmpersandToken;
    const all = wanted ? ts.SyntaxKind.AmpersandAmpersandToken : ts.SyntaxKind.BarBarToken;
    if (kind === any) return [...leavesOf(node.left, wanted), ...leavesOf(node.right, wanted)];
    if (kind === all) {
      const parts = [leavesOf(node.left, wanted), leavesOf(node.right, wanted)]
        .filter((leaves) => leaves.length > 1);
      if (parts.length > 0) return parts.flat();
    }
  }
  return [{ node, wanted }];
}

/** The `if` whose condition alone decides whether a statement is reached. */
function guardOf(statement: ts.Statement): ts.IfStatement | undefined {
  const block = ts.isBlock(statement.parent) ? statement.parent : statement;
  const { parent } = block;
  return ts.isIfStatement(parent) && parent.thenStatement === block ? parent : undefined;
}

/** The call that an expression is, awaited or not. */
function callOf(expression: ts.Expression): ts.CallExpression | undefined {
  const node = bare(expression);
  return ts.isCallExpression(node) ? node : undefined;
}

/** An expression without what does not change its value. */
function bare(expression: ts.Expression): ts.Expression {
  let node = expression;
  while (
    ts.isParenthesizedExpression(node) || ts.isAwaitExpression(node) || ts.isAsExpression(node) ||
    ts.isNonNullExpression(node)
  ) node = node.expression;
  return node;
}

function isChoice(kind: ts.SyntaxKind): boolean {
  return kind === ts.SyntaxKind.QuestionQuestionToken || kind === ts.SyntaxKind.BarBarToken ||
    kind === ts.SyntaxKind.AmpersandAmpersandToken;
}

function isFunctionNode(node: ts.Node): node is FunctionNode {
  return ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) || ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node);
}

function tellsTrueFromFalse({ type }: FunctionNode): boolean {
  return type !== undefined &&
    (ts.isTypePredicateNode(type) || /^(Promise<)?boolean>?$/.test(type.getText()));
}

/** Whether an expression calls, awaits and assigns nothing. */
function isPure(expression: ts.Expression): boolean {
  let pure = true;
  visit(expression, (node) => {
    if (
      ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isAwaitExpression(node) ||
      ts.isYieldExpression(node) || ts.isTaggedTemplateExpression(node) ||
      ts.isDeleteExpression(node) || ts.isPostfixUnaryExpression(node) ||
      ts.isPrefixUnaryExpression(node) && node.operator !== ts.SyntaxKind.ExclamationToken &&
        node.operator !== ts.SyntaxKind.MinusToken ||
      ts.isBinaryExpression(node) && node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
        node.operatorToken.kind <= ts.SyntaxKind.LastAssignment
    ) pure = false;
  });
  return pure;
}

function isLiteral(expression: ts.Expression, value: boolean): boolean {
  return expression.kind === (value ? ts.SyntaxKind.TrueKeyword : ts.SyntaxKind.FalseKeyword);
}

function returnsOf(called: FunctionNode): ts.Expression[] {
  const { body } = called;
  if (!body) return [];
  if (!ts.isBlock(body)) return [body];
  const values: ts.Expression[] = [];
  visitOwn(called, (node) => {
    if (ts.isReturnStatement(node) && node.expression) values.push(node.expression);
  });
  return values;
}

/** Visits a node and all below it. */
function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** Visits what is in a function's body, and not in functions within it. */
function visitOwn({ body }: FunctionNode, see: (node: ts.Node) => void): void {
  const descend = (node: ts.Node): void => {
    see(node);
    ts.forEachChild(node, (child) => {
      if (!isFunctionNode(child)) descend(child);
    });
  };
  if (body) descend(body);
}

function literal({ text }: ts.StringLiteral): ReadonlySet<string> {
  return CODES.has(text) ? new Set([text]) : NONE;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

/** A specifier as a path from the root; a name that is no file's for anything but a relative one. */
function join(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}
