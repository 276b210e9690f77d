// A module's top level: which statement declares which name, what is imported, what is exported.
import type { ImportDeclaration, ModuleDeclaration, Program, Statement, VariableDeclarator } from 'acorn';
import { childrenOf, nameOf, patternNames, type Syntax } from './syntax.ts';

/** A name that a module imports. `name` is what the other module calls it; `*` is all of it. */
export interface ImportBinding {
  readonly kind: 'import';
  readonly specifier: string;
  readonly name: string;
}

/** A name that a module declares. */
export interface Declared {
  readonly kind: 'function' | 'class' | 'variable';
  readonly statement: Syntax;
  /** For variables: their declarator. */
  readonly declarator: VariableDeclarator | undefined;
}

/** The top level of a module. */
export interface Outline {
  readonly bindings: ReadonlyMap<string, ImportBinding | Declared>;
  /** Names that some code of the module assigns to after their declaration. */
  readonly assigned: ReadonlySet<string>;
  /** Local names by the name they are exported as. */
  readonly exports: ReadonlyMap<string, string>;
}

/** The statements of a module's top level. Where `using` was lowered they lie in a `try` block, which is no scope of the user's. */
function topStatements(root: Program): (Statement | ModuleDeclaration)[] {
  return root.body.flatMap<Statement | ModuleDeclaration>((statement) =>
    statement.type === 'TryStatement' ? statement.block.body : [statement],
  );
}

/** The path to a node as if the `try` block of a lowered `using` were not there. */
export function withoutLowering(path: Syntax[]): Syntax[] {
  const [root, statement, block, ...rest] = path;
  return root && statement?.type === 'TryStatement' && block === statement.block ? [root, ...rest] : path;
}

/** Reads the top level of a module. */
export function outline(root: Program): Outline {
  const bindings = new Map<string, ImportBinding | Declared>();
  const exports = new Map<string, string>();
  const declare = (statement: Syntax, node: Syntax): string[] => {
    if (node.type === 'VariableDeclaration') {
      const names: string[] = [];
      for (const declarator of node.declarations) {
        for (const name of patternNames(declarator.id)) {
          names.push(name);
          bindings.set(name, requireBinding(declarator, name) ?? { kind: 'variable', statement, declarator });
        }
      }
      return names;
    }
    if ((node.type !== 'FunctionDeclaration' && node.type !== 'ClassDeclaration') || !node.id) return [];
    const { name } = node.id;
    bindings.set(name, { kind: node.type === 'FunctionDeclaration' ? 'function' : 'class', statement, declarator: undefined });
    return [name];
  };
  for (const statement of topStatements(root)) {
    switch (statement.type) {
      case 'ImportDeclaration':
        for (const specifier of statement.specifiers) bindings.set(specifier.local.name, importBinding(statement, specifier));
        break;
      case 'ExportNamedDeclaration':
        if (statement.declaration) for (const name of declare(statement, statement.declaration)) exports.set(name, name);
        else if (!statement.source) for (const { exported, local } of statement.specifiers) exports.set(nameOf(exported), nameOf(local));
        break;
      case 'ExportDefaultDeclaration': {
        const { declaration } = statement;
        const [name] = declare(statement, declaration);
        if (name) exports.set('default', name);
        else if (declaration.type === 'Identifier') exports.set('default', declaration.name);
        break;
      }
      default:
        declare(statement, statement);
    }
  }
  return { bindings, exports, assigned: assignedNames(root) };
}

function importBinding(statement: ImportDeclaration, specifier: ImportDeclaration['specifiers'][number]): ImportBinding {
  const name =
    specifier.type === 'ImportDefaultSpecifier'
      ? 'default'
      : specifier.type === 'ImportNamespaceSpecifier'
        ? '*'
        : nameOf(specifier.imported);
  return { kind: 'import', specifier: nameOf(statement.source), name };
}

// Reads const x = require('y') and const { x } = require('y') of a CommonJS file as imports.
function requireBinding({ id, init }: VariableDeclarator, name: string): ImportBinding | undefined {
  if (init?.type !== 'CallExpression' || init.callee.type !== 'Identifier' || init.callee.name !== 'require') return undefined;
  const [argument] = init.arguments;
  if (argument?.type !== 'Literal' || typeof argument.value !== 'string') return undefined;
  if (id.type === 'Identifier') return { kind: 'import', specifier: argument.value, name: 'default' };
  if (id.type !== 'ObjectPattern') return undefined;
  for (const property of id.properties) {
    if (property.type === 'Property' && property.value.type === 'Identifier' && property.value.name === name)
      return { kind: 'import', specifier: argument.value, name: nameOf(property.key) };
  }
  return undefined;
}

function assignedNames(root: Program): Set<string> {
  const names = new Set<string>();
  const visit = (node: Syntax): void => {
    if (node.type === 'AssignmentExpression') for (const name of patternNames(node.left)) names.add(name);
    else if (node.type === 'UpdateExpression') for (const name of patternNames(node.argument)) names.add(name);
    // A loop that declares its variable assigns to no other: a declaration gives no names here.
    else if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') for (const name of patternNames(node.left)) names.add(name);
    for (const child of childrenOf(node)) visit(child);
  };
  visit(root);
  return names;
}

const PURE_CONSTRUCTORS = new Set([
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'Date',
  'RegExp',
  'URL',
  'Array',
  'Object',
  'Error',
  'TextEncoder',
  'TextDecoder',
  'ArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Uint8ClampedArray',
  'AsyncLocalStorage',
  'Intl.NumberFormat',
]);
// tsx and esbuild wrap functions in calls of __name, to keep their names.
const PURE_CALLS = new Set([
  '__name',
  'Symbol',
  'BigInt',
  'Number',
  'String',
  'Boolean',
  'Object.freeze',
  'Object.fromEntries',
  'Object.entries',
  'Object.keys',
  'Object.assign',
  'Object.create',
  'Array.from',
  'Array.of',
  'Symbol.for',
  'Math.sqrt',
  'Math.pow',
  'Math.floor',
  'Math.log',
  'Math.log2',
  'Math.max',
  'Math.min',
  'Buffer.from',
  'BigInt.asUintN',
  'Number.parseInt',
  'parseInt',
  'parseFloat',
]);

/** Whether evaluating an expression does nothing but make a value, so that it may be done again on each worker. */
export function isPure(node: Syntax | null | undefined, source: string): boolean {
  if (!node) return true;
  const pure = (one: Syntax | null | undefined): boolean => isPure(one, source);
  switch (node.type) {
    case 'Literal':
    case 'Identifier':
    case 'TemplateElement':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'ClassExpression':
    case 'MetaProperty':
      return true;
    case 'TemplateLiteral':
      return node.expressions.every(pure);
    case 'ArrayExpression':
      return node.elements.every(pure);
    case 'ObjectExpression':
      return node.properties.every(pure);
    case 'Property':
      return pure(node.key) && pure(node.value);
    case 'SpreadElement':
      return pure(node.argument);
    case 'UnaryExpression':
      return node.operator !== 'delete' && pure(node.argument);
    case 'BinaryExpression':
    case 'LogicalExpression':
      return pure(node.left) && pure(node.right);
    case 'ConditionalExpression':
      return pure(node.test) && pure(node.consequent) && pure(node.alternate);
    case 'MemberExpression':
      return pure(node.object) && (!node.computed || pure(node.property));
    case 'NewExpression':
      return (PURE_CONSTRUCTORS.has(dotted(node.callee)) || isMarkedPure(node, source)) && node.arguments.every(pure);
    case 'CallExpression':
      return isMarkedPure(node, source) || (PURE_CALLS.has(dotted(node.callee)) && node.arguments.every(pure));
    default:
      return false;
  }
}

function isMarkedPure(node: Syntax, source: string): boolean {
  return /[@#]__PURE__\s*\*\/\s*\(*\s*$/.test(source.slice(Math.max(0, node.start - 40), node.start));
}

function dotted(callee: Syntax): string {
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' && !callee.computed ? `${dotted(callee.object)}.${nameOf(callee.property)}` : '';
}
