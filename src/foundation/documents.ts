import { createReadStream } from 'node:fs';
import { Composer, CST, isScalar, Lexer, LineCounter, Parser, visit, type YAMLMap } from 'yaml';
import { messageOf, TrialError, type ErrorCode } from './errors.ts';
import { MAX_NESTING } from './nesting.ts';

/** Most characters of a document, 16 Mi. */
const MAX_CHARACTERS = 2 ** 24;

/**
 * Reads a text file of at most 16 Mi characters.
 *
 * @throws TrialError FILE_UNREADABLE
 */
export async function readText(file: string): Promise<string> {
  try {
    let text = '';
    for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
      text += String(chunk);
      if (text.length > MAX_CHARACTERS) throw new Error(`more than ${MAX_CHARACTERS} characters`);
    }
    return text;
  } catch (cause) {
    throw new TrialError(
      'FILE_UNREADABLE',
      { where: file, wanted: 'a readable file', found: messageOf(cause), next: 'Check the path' },
      cause,
    );
  }
}

/** Most lexical tokens, spaces included: memory and time of the YAML parser grow with them. */
const MAX_TOKENS = 500_000;

/** What makes a short text a long document, or values other than those of JSON. */
const REFERENCES: readonly unknown[] = ['anchor', 'alias', 'tag'];

/** Cuts a text up; stops where it would take more time, memory or stack than any real document. */
function tokensOf(text: string, lines: LineCounter): CST.Token[] {
  const limit = (count: number, most: number, unit: string): void => {
    if (count > most) throw new Error(`more than ${most} ${unit}`);
  };
  limit(text.length, MAX_CHARACTERS, 'characters');
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    limit(++lexemes, MAX_TOKENS, 'tokens');
    limit(parser.stack.length, MAX_NESTING, 'levels');
    const type = CST.tokenType(lexeme);
    if (REFERENCES.includes(type)) throw new Error(`${type} ${lexeme}: write the value itself`);
  }
  return [...tokens, ...parser.end()];
}

/** The parser's own check for keys that stand twice takes quadratic time. */
function checkKeys({ items }: YAMLMap): void {
  const known = new Set<string>();
  for (const { key } of items) {
    const name = isScalar(key) ? key.value : undefined;
    if (typeof name !== 'string') throw new Error('a key that is no text');
    if (known.has(name)) throw new Error(`"${name}" twice: keys must be unique`);
    known.add(name);
  }
}

/**
 * Reads JSON, or YAML that says what JSON can say: one document of at most 16 Mi characters, 500,000
 * tokens and 64 levels, without anchors, aliases and tags; no key may occur twice.
 *
 * @param code - Of the error for any other text.
 */
export function parseDocument(text: string, where: string, code: ErrorCode): unknown {
  try {
    const lines = new LineCounter();
    const composer = new Composer({ schema: 'core', uniqueKeys: false });
    const [document, second] = composer.compose(tokensOf(text, lines), true, text.length);
    if (document === undefined || second !== undefined) throw new Error('more than one document');
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) {
      const { line, col } = lines.linePos(problem.pos[0]);
      throw new Error(`${problem.message} at line ${line}, column ${col}`);
    }
    visit(document, {
      Map(_, map) {
        checkKeys(map);
      },
    });
    return document.toJS();
  } catch (cause) {
    throw new TrialError(
      code,
      { where, wanted: 'JSON or plain YAML', found: messageOf(cause), next: 'Correct the text' },
      cause,
    );
  }
}
