// Reading a module: its syntax tree, the names it declares at the top, and the names a piece of it uses from outside.
import { type Node, parse } from 'acorn';
import { FlotillaError } from '../base/index.ts';

/** A node of the syntax tree, with the fields that its type has. */
export interface Syntax extends Node {
  readonly [field: string]: unknown;
}

/** A piece of a module: the names it uses that it does not declare, each with the place of its first use. */
export interface Uses {
  readonly names: Map<string, number>;
  /** Uses `this`, `super` or `arguments` of a function around it. */
  readonly receiver: number | undefined;
}

/** Parses a module, or a CommonJS script. Throws ERR_CODE_SYNTAX naming file and line. */
export function parseModule(source: string, file: string): Syntax {
  try {
    return parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }) as unknown as Syntax;
  } catch (error) {
    try {
      return parse(source, {
        ecmaVersion: 'latest',
        sourceType: 'script',
        allowHashBang: true,
        allowReturnOutsideFunction: true,
      }) as unknown as Syntax;
    } catch {
      throw new FlotillaError('ERR_CODE_SYNTAX', `${file} cannot be parsed: ${(error as Error).message}.`, { cause: error });
    }
  }
}

export function isNode(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** The nodes directly below a node. */
export function* childrenOf(node: Syntax): Generator<Syntax> {
  for (const key of Object.keys(node)) {
    const value = node[key];
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) yield value;
  }
}

export function isFunction(node: Syntax): boolean {
  return node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';
}

/** The nodes from the root down to the innermost function at an offset; empty if there is none. */
export function pathToFunction(root: Syntax, offset: number): Syntax[] {
  let best: Syntax[] = [];
  const visit = (node: Syntax, path: Syntax[]): void => {
    if (offset < node.start || offset > node.end) return;
    const here = [...path, node];
    const body = node['body'];
    const isHead = isFunction(node) && isNode(body) && offset <= body.start;
    if (isHead || (isClass(node) && offset === node.start)) best = here;
    for (const child of childrenOf(node)) visit(child, here);
  };
  visit(root, []);
  return best;
}

export function isClass(node: Syntax): boolean {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
}

/** The names that a pattern declares. */
export function patternNames(pattern: Syntax): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern['name'] as string];
    case 'ObjectPattern':
      return (pattern['properties'] as Syntax[]).flatMap((p) =>
        patternNames((p.type === 'RestElement' ? p['argument'] : p['value']) as Syntax),
      );
    case 'ArrayPattern':
      return (pattern['elements'] as (Syntax | null)[]).flatMap((e) => (e ? patternNames(e) : []));
    case 'AssignmentPattern':
      return patternNames(pattern['left'] as Syntax);
    case 'RestElement':
      return patternNames(pattern['argument'] as Syntax);
    default:
      return [];
  }
}

/** The names that the statements of one block declare for it. */
export function blockNames(statements: readonly Syntax[]): string[] {
  return statements.flatMap((statement) => {
    if (statement.type === 'VariableDeclaration' && statement['kind'] !== 'var')
      return (statement['declarations'] as Syntax[]).flatMap((d) => patternNames(d['id'] as Syntax));
    if ((statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') && statement['id'])
      return patternNames(statement['id'] as Syntax);
    return [];
  });
}

/** The names that `var` declares anywhere in a function, nested functions aside. */
export function varNames(node: Syntax): string[] {
  if (isFunction(node)) return [];
  const own =
    node.type === 'VariableDeclaration' && node['kind'] === 'var'
      ? (node['declarations'] as Syntax[]).flatMap((d) => patternNames(d['id'] as Syntax))
      : [];
  return [...own, ...[...childrenOf(node)].flatMap(varNames)];
}

/** The names that a node brings into scope for what is inside it. */
export function scopeNames(node: Syntax): string[] {
  if (isFunction(node)) {
    const body = node['body'] as Syntax;
    const names = (node['params'] as Syntax[]).flatMap(patternNames);
    if (node['id']) names.push(...patternNames(node['id'] as Syntax));
    if (body.type === 'BlockStatement') names.push(...blockNames(body['body'] as Syntax[]), ...varNames(body));
    return names;
  }
  switch (node.type) {
    case 'BlockStatement':
    case 'StaticBlock':
      return [
        ...blockNames(node['body'] as Syntax[]),
        ...(node.type === 'StaticBlock' ? varNames({ ...node, type: 'BlockStatement' } as Syntax) : []),
      ];
    case 'SwitchStatement':
      return (node['cases'] as Syntax[]).flatMap((c) => blockNames(c['consequent'] as Syntax[]));
    case 'ForStatement':
      return isNode(node['init']) ? blockNames([node['init']]) : [];
    case 'ForInStatement':
    case 'ForOfStatement':
      return isNode(node['left']) ? blockNames([node['left']]) : [];
    case 'CatchClause':
      return isNode(node['param']) ? patternNames(node['param']) : [];
    case 'ClassExpression':
    case 'ClassDeclaration':
      return isNode(node['id']) ? patternNames(node['id']) : [];
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
  const each = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) each(item);
    else if (isNode(value)) visit(value);
  };
  const visitNamed = (node: Syntax): void => {
    if (node['computed']) each(node['key']);
    each(node['value']);
  };
  const visit = (node: Syntax): void => {
    switch (node.type) {
      case 'Identifier':
        return use(node['name'] as string, node.start);
      case 'ThisExpression':
      case 'Super':
        if (receivers === 0) receiver ??= node.start;
        return;
      case 'MemberExpression':
        each(node['object']);
        if (node['computed']) each(node['property']);
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
        return each(node['body']);
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        return;
      case 'ExportNamedDeclaration':
        return each(node['declaration']);
      case 'ExportDefaultDeclaration':
        return each(node['declaration']);
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
