// A module's top level: which statement declares which name, what is imported, what is exported.
import { childrenOf, isNode, patternNames, type Syntax } from './syntax.ts';

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
  readonly declarator: Syntax | undefined;
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
function topStatements(root: Syntax): Syntax[] {
  return (root['body'] as Syntax[]).flatMap((statement) =>
    statement.type === 'TryStatement' ? ((statement['block'] as Syntax)['body'] as Syntax[]) : [statement],
  );
}

/** The path to a node as if such a `try` block were not there. */
export function withoutLowering(path: Syntax[]): Syntax[] {
  const [root, statement, block, ...rest] = path;
  return root && statement?.type === 'TryStatement' && block === statement['block'] ? [root, ...rest] : path;
}

/** Reads the top level of a module. */
export function outline(root: Syntax): Outline {
  const bindings = new Map<string, ImportBinding | Declared>();
  const exports = new Map<string, string>();
  const declare = (statement: Syntax, node: Syntax): string[] => {
    if (node.type === 'VariableDeclaration') {
      const names: string[] = [];
      for (const declarator of node['declarations'] as Syntax[]) {
        for (const name of patternNames(declarator['id'] as Syntax)) {
          names.push(name);
          bindings.set(name, requireBinding(declarator, name) ?? { kind: 'variable', statement, declarator });
        }
      }
      return names;
    }
    if (!isNode(node['id'])) return [];
    const name = node['id']['name'] as string;
    if (node.type === 'FunctionDeclaration') bindings.set(name, { kind: 'function', statement, declarator: undefined });
    else if (node.type === 'ClassDeclaration') bindings.set(name, { kind: 'class', statement, declarator: undefined });
    else return [];
    return [name];
  };
  for (const statement of topStatements(root)) {
    switch (statement.type) {
      case 'ImportDeclaration':
        for (const specifier of statement['specifiers'] as Syntax[])
          bindings.set((specifier['local'] as Syntax)['name'] as string, importBinding(statement, specifier));
        break;
      case 'ExportNamedDeclaration':
        if (isNode(statement['declaration'])) for (const name of declare(statement, statement['declaration'])) exports.set(name, name);
        else if (!statement['source'])
          for (const s of statement['specifiers'] as Syntax[]) exports.set(nameOf(s['exported'] as Syntax), nameOf(s['local'] as Syntax));
        break;
      case 'ExportDefaultDeclaration': {
        const declaration = statement['declaration'] as Syntax;
        const [name] = declare(statement, declaration);
        if (name) exports.set('default', name);
        else if (declaration.type === 'Identifier') exports.set('default', declaration['name'] as string);
        break;
      }
      default:
        declare(statement, statement);
    }
  }
  return { bindings, exports, assigned: assignedNames(root) };
}

function nameOf(node: Syntax): string {
  return String(node.type === 'Literal' ? node['value'] : node['name']);
}

function importBinding(statement: Syntax, specifier: Syntax): ImportBinding {
  const name =
    specifier.type === 'ImportDefaultSpecifier'
      ? 'default'
      : specifier.type === 'ImportNamespaceSpecifier'
        ? '*'
        : nameOf(specifier['imported'] as Syntax);
  return { kind: 'import', specifier: (statement['source'] as Syntax)['value'] as string, name };
}

// const x = require('y') and const { x } = require('y') in a CommonJS file.
function requireBinding(declarator: Syntax, name: string): ImportBinding | undefined {
  const init = declarator['init'];
  if (!isNode(init) || init.type !== 'CallExpression' || (init['callee'] as Syntax)['name'] !== 'require') return undefined;
  const [argument] = init['arguments'] as Syntax[];
  if (argument?.type !== 'Literal' || typeof argument['value'] !== 'string') return undefined;
  const id = declarator['id'] as Syntax;
  if (id.type === 'Identifier') return { kind: 'import', specifier: argument['value'], name: 'default' };
  if (id.type !== 'ObjectPattern') return undefined;
  const property = (id['properties'] as Syntax[]).find((p) => isNode(p['value']) && p['value']['name'] === name);
  return property ? { kind: 'import', specifier: argument['value'], name: nameOf(property['key'] as Syntax) } : undefined;
}

function assignedNames(root: Syntax): Set<string> {
  const names = new Set<string>();
  const visit = (node: Syntax): void => {
    if (node.type === 'AssignmentExpression') for (const name of patternNames(node['left'] as Syntax)) names.add(name);
    else if (node.type === 'UpdateExpression') for (const name of patternNames(node['argument'] as Syntax)) names.add(name);
    else if (
      (node.type === 'ForInStatement' || node.type === 'ForOfStatement') &&
      isNode(node['left']) &&
      node['left'].type !== 'VariableDeclaration'
    ) {
      for (const name of patternNames(node['left'])) names.add(name);
    }
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
// __name is what tsx and esbuild wrap functions in to keep their names.
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

/** Whether evaluating an expression does nothing but make a value. */
export function isPure(node: Syntax | null | undefined, source: string): boolean {
  if (!node) return true;
  const pure = (value: unknown): boolean => (Array.isArray(value) ? value.every(pure) : isNode(value) ? isPure(value, source) : true);
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
      return pure(node['expressions']);
    case 'ArrayExpression':
      return pure(node['elements']);
    case 'ObjectExpression':
      return pure(node['properties']);
    case 'Property':
      return pure(node['key']) && pure(node['value']);
    case 'SpreadElement':
    case 'UnaryExpression':
      return node['operator'] !== 'delete' && pure(node['argument']);
    case 'BinaryExpression':
    case 'LogicalExpression':
      return pure(node['left']) && pure(node['right']);
    case 'ConditionalExpression':
      return pure(node['test']) && pure(node['consequent']) && pure(node['alternate']);
    case 'MemberExpression':
      return pure(node['object']) && (!node['computed'] || pure(node['property']));
    case 'NewExpression':
      return (PURE_CONSTRUCTORS.has(dotted(node['callee'])) || isMarkedPure(node, source)) && pure(node['arguments']);
    case 'CallExpression':
      return isMarkedPure(node, source) || (PURE_CALLS.has(dotted(node['callee'])) && pure(node['arguments']));
    default:
      return false;
  }
}

function isMarkedPure(node: Syntax, source: string): boolean {
  return /[@#]__PURE__\s*\*\/\s*\(*\s*$/.test(source.slice(Math.max(0, node.start - 40), node.start));
}

function dotted(callee: unknown): string {
  if (!isNode(callee)) return '';
  if (callee.type === 'Identifier') return callee['name'] as string;
  if (callee.type === 'MemberExpression' && !callee['computed'])
    return `${dotted(callee['object'])}.${(callee['property'] as Syntax)['name'] as string}`;
  return '';
}
