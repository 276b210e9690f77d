// Rewrites a module so that it uses what was taken when it was loaded, whatever a program replaces later:
// `a.push(b)` asks whether `a` is an array, and if so calls the language's own push.
import { parse } from 'acorn';
import { CLASSES, FUNCTIONS, METHODS, STATICS } from './names.js';

/** Classes that fill what they make by a method of it. */
const FILLED = ['Map', 'Set'];
const HOLDERS = new Map();
for (const [holder, names] of Object.entries(METHODS)) for (const name of names) HOLDERS.set(name, [...(HOLDERS.get(name) ?? []), holder]);

/** The text of a module as it takes what it uses from the module `taken`. */
export function rewrite(source, taken) {
  const tree = parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
  const used = new Set();
  const declared = declaredIn(tree);
  const use = (name) => {
    used.add(name);
    return name;
  };
  const isGlobal = (node, names) => node.type === 'Identifier' && names.includes(node.name) && !declared.has(node.name);

  const inside = (node) => {
    const children = childrenOf(node);
    let text = '';
    let at = node.start;
    for (const child of children) {
      if (child.start < at) continue; // one name that stands for two, as in `import { a }`
      text += source.slice(at, child.start) + print(child, node);
      at = child.end;
    }
    return text + source.slice(at, node.end);
  };

  const print = (node, parent) => {
    if (node.type === 'ChainExpression') return chain(node);
    if (node.type === 'CallExpression' && !isOptional(node)) return call(node);
    if (node.type === 'NewExpression' && node.arguments.length > 0 && isGlobal(node.callee, FILLED))
      return `${use(`$${node.callee.name}_of`)}(${argsOf(node)})`;
    if (isGlobal(node, CLASSES) && isClassUse(node, parent)) return use(`$${node.name}`);
    if (node.type === 'Property' && node.shorthand) {
      const { value } = node;
      const given = value.type === 'AssignmentPattern' ? value.right : undefined;
      return given ? source.slice(node.start, given.start) + print(given, value) : source.slice(node.start, node.end);
    }
    return inside(node);
  };

  const argsOf = (node) => node.arguments.map((arg) => print(arg, node)).join(', ');

  const call = (node) => {
    const { callee } = node;
    if (isGlobal(callee, FUNCTIONS)) return `${use(`$${callee.name}`)}(${argsOf(node)})`;
    if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return inside(node);
    const { object, property } = callee;
    if (object.type === 'Identifier' && !declared.has(object.name) && STATICS[object.name]?.includes(property.name))
      return `${use(`$${object.name}_${property.name}`)}(${argsOf(node)})`;
    if (!HOLDERS.has(property.name) || object.type === 'Super') return inside(node);
    return `(${asked(print(object, callee), property.name, argsOf(node))})`;
  };

  // The object is looked at before the arguments are, so one variable serves all calls.
  const asked = (object, name, args) => {
    const comma = args === '' ? '' : ', ';
    used.add('$it');
    const branches = HOLDERS.get(name).map((holder, i) => {
      const it = i === 0 ? `($it = ${object})` : '$it';
      const isOne = holder === 'Array' ? `${use('$Array_isArray')}(${it})` : `${it} instanceof ${use(`$${holder}`)}`;
      return `${isOne} ? ${use(`$${holder}$${name}`)}($it${comma}${args}) : `;
    });
    return `${branches.join('')}$it.${name}(${args})`;
  };

  // `a?.get(b)` as a whole; what stands before the first `?.` of another chain is as any expression, what stands after it stays.
  const chain = (node) => {
    const { expression } = node;
    const { callee } = expression;
    const plain = expression.type === 'CallExpression' && !expression.optional && callee.type === 'MemberExpression' && callee.optional;
    if (!plain || callee.computed || callee.property.type !== 'Identifier' || isOptional(callee.object)) return inside(node);
    if (!HOLDERS.has(callee.property.name)) return inside(node);
    return `(($it = ${print(callee.object, callee)}) == null ? void 0 : ${asked('$it', callee.property.name, argsOf(expression))})`;
  };

  const text = inside(tree);
  const names = [...used].filter((name) => name !== '$it');
  if (names.length === 0) return source;
  // On the first line, so that lines stay what they were.
  return `import { ${names.join(', ')} } from ${JSON.stringify(taken)}; ${used.has('$it') ? 'let $it; ' : ''}${text}`;
}

// Where a name means the class itself: made, asked for, or passed on.
function isClassUse(node, parent) {
  if (parent.type === 'NewExpression') return parent.callee === node;
  return parent.type === 'BinaryExpression' && parent.operator === 'instanceof' && parent.right === node;
}

// Whether a part of a chain comes after a `?.`.
function isOptional(node) {
  for (let at = node; at; at = at.type === 'CallExpression' ? at.callee : at.type === 'MemberExpression' ? at.object : undefined)
    if (at.optional) return true;
  return false;
}

function childrenOf(node) {
  return Object.values(node)
    .flat()
    .filter((value) => value && typeof value.type === 'string' && typeof value.start === 'number')
    .sort((a, b) => a.start - b.start);
}

// Every name that the module declares or imports anywhere: that one is not the world's.
function declaredIn(tree) {
  const names = new Set();
  const bind = (node) => {
    if (!node) return;
    if (node.type === 'Identifier') names.add(node.name);
    else if (node.type === 'Property') bind(node.value);
    else if (node.type === 'AssignmentPattern') bind(node.left);
    else if (node.type === 'RestElement') bind(node.argument);
    else if (node.type === 'ObjectPattern') node.properties.forEach(bind);
    else if (node.type === 'ArrayPattern') node.elements.forEach(bind);
  };
  const walk = (node) => {
    if (/^(VariableDeclarator|Function|Class|Import\w*Specifier)/.test(node.type)) bind(node.id ?? node.local);
    for (const param of node.params ?? []) bind(param);
    if (node.type === 'CatchClause') bind(node.param);
    childrenOf(node).forEach(walk);
  };
  walk(tree);
  return names;
}
