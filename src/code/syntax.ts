// Reads a module: its syntax tree, the names it declares at the top, and the names a piece of it uses from outside.
import {
  type AnonymousFunctionDeclaration,
  type AnyNode,
  type ArrowFunctionExpression,
  type FunctionDeclaration,
  type FunctionExpression,
  type MethodDefinition,
  type Program,
  type PropertyDefinition,
  parse,
} from 'acorn';
import { FlotillaError, toError } from '../base/index.ts';

/** A node of the syntax tree, with the fields that its type has. */
export type Syntax = AnyNode;

type FunctionNode = FunctionDeclaration | AnonymousFunctionDeclaration | FunctionExpression | ArrowFunctionExpression;
type Keyed = Extract<Syntax, { type: 'Property' }> | MethodDefinition | PropertyDefinition;

/** A piece of a module: the names it uses that it does not declare, each with the place of its first use. */
export interface Uses {
  readonly names: Map<string, number>;
  /** The place where it first uses `this` or `super` of a function around it. */
  readonly receiver: number | undefined;
}

/** Parses a module, or a CommonJS script. Throws ERR_CODE_SYNTAX naming file and line. */
export function parseModule(source: string, file: string): Program {
  try {
    return parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  } catch (error) {
    try {
      return parse(source, { ecmaVersion: 'latest', sourceType: 'script', allowHashBang: true, allowReturnOutsideFunction: true });
    } catch {
      throw new FlotillaError('ERR_CODE_SYNTAX', `${file} cannot be parsed: ${toError(error).message}.`, { cause: error });
    }
  }
}

function isNode(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The nodes directly below a node. */
export function* childrenOf(node: Syntax): Generator<Syntax> {
  const values: readonly unknown[] = Object.values(node);
  for (const value of values) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) yield value;
  }
}

export function isFunction(node: Syntax): node is FunctionNode {
  return node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';
}

/** The nodes from the root down to the innermost function at an offset; empty if there is none. */
export function pathToFunction(root: Syntax, offset: number): Syntax[] {
  let best: Syntax[] = [];
  const visit = (node: Syntax, path: Syntax[]): void => {
    if (offset < node.start || offset > node.end) return;
    const here = [...path, node];
    const isHead = isFunction(node) && offset <= node.body.start;
    if (isHead || (isClass(node) && offset === node.start)) best = here;
    for (const child of childrenOf(node)) visit(child, here);
  };
  visit(root, []);
  return best;
}

export function isClass(node: Syntax): boolean {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
}

/** The text of a name, or of a key that is written out. */
export function nameOf(node: Syntax): string {
  return String(node.type === 'Literal' ? node.value : 'name' in node ? node.name : undefined);
}

/** The names that a pattern declares. */
export function patternNames(pattern: Syntax): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((p) => patternNames(p.type === 'RestElement' ? p.argument : p.value));
    case 'ArrayPattern':
      return pattern.elements.flatMap((e) => (e ? patternNames(e) : []));
    case 'AssignmentPattern':
      return patternNames(pattern.left);
    case 'RestElement':
      return patternNames(pattern.argument);
    default:
      return [];
  }
}

/** The names that a declaration declares. */
export function declaredNames(declaration: Syntax): string[] {
  if (declaration.type === 'VariableDeclaration') return declaration.declarations.flatMap((d) => patternNames(d.id));
  if ((declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') && declaration.id)
    return [declaration.id.name];
  return [];
}

/** The names that the statements of one block declare for it. */
export function blockNames(statements: readonly Syntax[]): string[] {
  return statements.flatMap((statement) =>
    statement.type === 'VariableDeclaration' && statement.kind === 'var' ? [] : declaredNames(statement),
  );
}

/** The names that `var` declares anywhere in a function, nested functions aside. */
export function varNames(node: Syntax): string[] {
  if (isFunction(node)) return [];
  const own = node.type === 'VariableDeclaration' && node.kind === 'var' ? declaredNames(node) : [];
  return [...own, ...[...childrenOf(node)].flatMap(varNames)];
}

/** The names that a node brings into scope for what is inside it. */
export function scopeNames(node: Syntax): string[] {
  if (isFunction(node)) {
    const { body, params, id } = node;
    const names = params.flatMap(patternNames);
    if (id) names.push(id.name);
    if (body.type === 'BlockStatement') names.push(...blockNames(body.body), ...varNames(body));
    return names;
  }
  switch (node.type) {
    case 'BlockStatement':
      return blockNames(node.body);
    case 'StaticBlock':
      return [...blockNames(node.body), ...varNames(node)];
    case 'SwitchStatement':
      return node.cases.flatMap((c) => blockNames(c.consequent));
    case 'ForStatement':
      return node.init ? blockNames([node.init]) : [];
    case 'ForInStatement':
    case 'ForOfStatement':
      return blockNames([node.left]);
    case 'CatchClause':
      return node.param ? patternNames(node.param) : [];
    case 'ClassExpression':
    case 'ClassDeclaration':
      return node.id ? [node.id.name] : [];
    default:
      return [];
  }
}

/** The names that a piece of a module uses from outside itself. */
export function usesOf(piece: Syntax): Uses {
  const names = new Map<string, number>();
  let receiver: number | undefined;
  const scopes: Set<string>[] = [];
  let receivers = 0;
  const use = (name: string, at: number): void => {
    if (name === 'arguments' && receivers > 0) return;
    if (!scopes.some((scope) => scope.has(name)) && !names.has(name)) names.set(name, at);
  };
  const visitNamed = ({ computed, key, value }: Keyed): void => {
    if (computed) visit(key);
    if (value) visit(value);
  };
  const visit = (node: Syntax): void => {
    switch (node.type) {
      case 'Identifier':
        return use(node.name, node.start);
      case 'ThisExpression':
      case 'Super':
        if (receivers === 0) receiver ??= node.start;
        return;
      case 'MemberExpression':
        visit(node.object);
        if (node.computed) visit(node.property);
        return;
      case 'Property':
        return visitNamed(node);
      case 'MethodDefinition':
      case 'PropertyDefinition':
        receivers++;
        visitNamed(node);
        receivers--;
        return;
      case 'LabeledStatement':
        return visit(node.body);
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        return;
      case 'ExportNamedDeclaration':
      case 'ExportDefaultDeclaration':
        if (node.declaration) visit(node.declaration);
        return;
      default:
        return visitScope(node);
    }
  };
  const visitScope = (node: Syntax): void => {
    const declared = scopeNames(node);
    const own = isFunction(node) && node.type !== 'ArrowFunctionExpression';
    if (own || node.type === 'StaticBlock') receivers++;
    scopes.push(new Set(declared));
    for (const child of childrenOf(node)) visit(child);
    scopes.pop();
    if (own || node.type === 'StaticBlock') receivers--;
  };
  visit(piece);
  return { names, receiver };
}

/** The line of an offset, from 1. */
export function lineOf(source: string, offset: number): number {
  let line = 1;
  for (let i = source.indexOf('\n'); i >= 0 && i < offset; i = source.indexOf('\n', i + 1)) line++;
  return line;
}
