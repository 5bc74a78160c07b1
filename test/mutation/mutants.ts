/**
 * Makes the mutants of a source file: small changes, each of which a test should notice. What only words a message is
 * left alone: what is thrown, the texts of functions such as `known`, and templates and strings that contain a space.
 */
import ts from '@typescript/typescript6';

/** Replaces the text from `start` to `end`. */
export interface Mutant {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: 'expression' | 'statement';
}

type Edit = Omit<Mutant, 'file'>;

const { SyntaxKind } = ts;

/** Maps each operator to the one that takes its place. */
const swaps = new Map<ts.SyntaxKind, string>([
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.MinusToken, '+'],
  [SyntaxKind.AsteriskToken, '/'],
  [SyntaxKind.SlashToken, '*'],
  [SyntaxKind.PercentToken, '*'],
  [SyntaxKind.AsteriskAsteriskToken, '*'],
  [SyntaxKind.AmpersandToken, '|'],
  [SyntaxKind.BarToken, '&'],
  [SyntaxKind.CaretToken, '&'],
  [SyntaxKind.LessThanLessThanToken, '>>'],
  [SyntaxKind.GreaterThanGreaterThanToken, '<<'],
  [SyntaxKind.GreaterThanGreaterThanGreaterThanToken, '<<'],
  [SyntaxKind.AmpersandAmpersandToken, '||'],
  [SyntaxKind.BarBarToken, '&&'],
  [SyntaxKind.PlusEqualsToken, '-='],
  [SyntaxKind.MinusEqualsToken, '+='],
  [SyntaxKind.AsteriskEqualsToken, '/='],
  [SyntaxKind.SlashEqualsToken, '*='],
  [SyntaxKind.AmpersandEqualsToken, '|='],
  [SyntaxKind.BarEqualsToken, '&='],
  [SyntaxKind.CaretEqualsToken, '&='],
]);

/** Maps methods to the ones that take their place; without one, the call becomes what it was called on. */
const methods = new Map([
  ['every', 'some'],
  ['some', 'every'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['min', 'max'],
  ['max', 'min'],
  ['floor', 'ceil'],
  ['ceil', 'floor'],
]);
const removable = new Set(
  ['filter', 'slice', 'reverse', 'toReversed', 'sort', 'toSorted', 'flat', 'trim', 'trimEnd'].concat([
    'trimStart',
    'toLowerCase',
    'toUpperCase',
  ]),
);

const isText = (node: ts.Node): boolean => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);

/** Functions whose texts only say in a message what was expected. */
const wording = /^(known|constantInts|unexpected|expect[A-Z]\w*)$/;

const wordsOfMessage = (node: ts.Node): boolean =>
  ts.isStringLiteral(node) &&
  ts.isCallExpression(node.parent) &&
  ts.isIdentifier(node.parent.expression) &&
  wording.test(node.parent.expression.text);

/** Whether a template words a message, as opposed to a name. */
const isMessage = (node: ts.TemplateExpression): boolean =>
  [node.head, ...node.templateSpans.map(({ literal }) => literal)].some(({ text }) => text.includes(' '));

const isEquality = (node: ts.Expression): boolean =>
  ts.isBinaryExpression(node) &&
  [SyntaxKind.EqualsEqualsEqualsToken, SyntaxKind.ExclamationEqualsEqualsToken].includes(node.operatorToken.kind);

/** Returns the `?.` of a part of a chain. */
const questionOf = (node: ts.Node): ts.Node | undefined =>
  ts.isPropertyAccessChain(node) || ts.isElementAccessChain(node) || ts.isCallChain(node)
    ? node.questionDotToken
    : undefined;

/** Returns the whole of a chain such as `a?.b.c`, which is undefined as a whole. */
function wholeChain(node: ts.Node): ts.Node {
  const { parent } = node;
  const goesOn = ts.isOptionalChain(parent) && parent.expression === node && questionOf(parent) === undefined;
  return goesOn ? wholeChain(parent) : node;
}

/** Returns the mutants of a file, in the order of their places. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: Edit[] = [];
  const textOf = (node: ts.Node): string => node.getText(tree);
  const replace = (node: ts.Node, text: string, kind: Edit['kind'] = 'expression'): void => {
    found.push({ start: node.getStart(tree), end: node.end, text, kind });
  };
  /** Replaces a part of an expression. The whole is the mutant, since a part can be no expression. */
  const replaceIn = (whole: ts.Node, part: { pos: number; end: number }, text: string): void => {
    const start = whole.getStart(tree);
    replace(whole, source.slice(start, part.pos) + text + source.slice(part.end, whole.end));
  };
  const negate = (node: ts.Expression): void => {
    if (!isEquality(node) && !ts.isPrefixUnaryExpression(node)) replace(node, `!(${textOf(node)})`);
  };

  function visitBinary(node: ts.BinaryExpression): void {
    const { left, right, operatorToken } = node;
    if (operatorToken.kind === SyntaxKind.QuestionQuestionToken) replace(node, textOf(left));
    const swap = swaps.get(operatorToken.kind);
    if (swap === undefined || isText(left) || isText(right)) return;
    replaceIn(node, operatorToken, ` ${swap}`);
  }

  function visitUnary(node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression): void {
    const { operand, operator } = node;
    const plus = operator === SyntaxKind.PlusPlusToken;
    const step = plus || operator === SyntaxKind.MinusMinusToken ? (plus ? '--' : '++') : '';
    replace(node, ts.isPrefixUnaryExpression(node) ? step + textOf(operand) : textOf(operand) + step);
  }

  function visitCall(node: ts.CallExpression): void {
    const callee = node.expression;
    if (!ts.isPropertyAccessExpression(callee) || ts.isOptionalChain(node)) return;
    const other = methods.get(callee.name.text);
    if (other !== undefined) replaceIn(node, callee.name, other);
    if (removable.has(callee.name.text)) replace(node, textOf(callee.expression));
  }

  function visitStatement(node: ts.Statement): void {
    const removed =
      ts.isExpressionStatement(node) ||
      ts.isThrowStatement(node) ||
      ts.isContinueStatement(node) ||
      ts.isBreakStatement(node);
    if (removed && !ts.isCaseOrDefaultClause(node.parent)) replace(node, '', 'statement');
    if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) negate(node.expression);
  }

  function visitLiteral(node: ts.Node): void {
    if (ts.isNumericLiteral(node)) replace(node, String(Number(node.text) + 1));
    else if (ts.isBigIntLiteral(node)) replace(node, `${BigInt(node.text.slice(0, -1)) + 1n}n`);
    else if (node.kind === SyntaxKind.TrueKeyword) replace(node, 'false');
    else if (node.kind === SyntaxKind.FalseKeyword) replace(node, 'true');
    else if (ts.isStringLiteral(node) && node.text !== '' && !node.text.includes(' ')) replace(node, "''");
    else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) replace(node, '[]');
  }

  function visit(node: ts.Node): void {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isStatement(node)) visitStatement(node);
    if (ts.isThrowStatement(node) || wordsOfMessage(node) || (ts.isTemplateExpression(node) && isMessage(node))) return;
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text.endsWith('Error')) return;
    if (ts.isConditionalExpression(node)) negate(node.condition);
    if (ts.isBinaryExpression(node)) visitBinary(node);
    if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) visitUnary(node);
    if (ts.isCallExpression(node)) visitCall(node);
    const question = questionOf(node);
    if (question) replaceIn(wholeChain(node), question, ts.isPropertyAccessExpression(node) ? '.' : '');
    visitLiteral(node);
    node.forEachChild((child) => {
      const isName = (ts.isPropertyAssignment(node) || ts.isBindingElement(node)) && child !== node.initializer;
      const isTarget = ts.isBinaryExpression(node) && child === node.left && ts.isArrayLiteralExpression(child);
      if (!isTarget && !(isName && (ts.isLiteralExpression(child) || ts.isIdentifier(child)))) visit(child);
    });
  }

  visit(tree);
  const seen = new Set<string>();
  return found
    .toSorted((a, b) => a.start - b.start || b.end - a.end)
    .filter((edit) => {
      const key = `${edit.start} ${edit.end} ${edit.text}`;
      return !seen.has(key) && seen.add(key);
    })
    .map((edit) => ({ file, ...edit }));
}

/** Returns the file as the mutant has it. */
export const mutated = (source: string, { start, end, text }: Mutant): string =>
  source.slice(0, start) + text + source.slice(end);

/**
 * Returns the file with all the mutants in it, each asleep until `mutant(id)` says that it is the one awake.
 */
export function instrumented(source: string, mutants: ReadonlyMap<number, Mutant>): string {
  // Outer mutants come first; the inner ones of the same place stand in what the outer one leaves as it was.
  const sorted = [...mutants].toSorted(([, a], [, b]) => a.start - b.start || b.end - a.end);
  let next = 0;
  function write(start: number, end: number): string {
    let out = '';
    let at = start;
    for (let entry = sorted[next]; entry && entry[1].start < end; entry = sorted[next]) {
      next += 1;
      const [id, { start: from, end: to, text, kind }] = entry;
      const was = write(from, to);
      const asleep =
        kind === 'statement' ? `if (!__mutant(${id})) { ${was} }` : `(__mutant(${id}) ? (${text}) : ${was})`;
      out += source.slice(at, from) + asleep;
      at = to;
    }
    return out + source.slice(at, end);
  }
  return write(0, source.length);
}
