import { constants, open, type FileHandle } from 'node:fs/promises';
import { Composer, CST, isScalar, Lexer, LineCounter, Parser, visit, type YAMLMap } from 'yaml';
import { messageOf, TrialError, type ErrorCode } from './errors.ts';
import { MAX_NESTING } from './nesting.ts';

/** Most characters of a document, 16 Mi. */
const MAX_CHARACTERS = 2 ** 24;

/**
 * Reads a text file of at most 16 Mi characters. Refuses pipes, even a shell's `<(…)`: a resumed search
 * reads its files again, and a pipe without a writer would block for ever.
 *
 * @throws TrialError FILE_UNREADABLE
 */
export async function readText(file: string): Promise<string> {
  try {
    // Non-blocking: opening a pipe would wait for a writer.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readRegular(handle);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new TrialError(
      'FILE_UNREADABLE',
      { where: file, wanted: 'a readable file', found: messageOf(cause), next: 'Check the path' },
      cause,
    );
  }
}

async function readRegular(handle: FileHandle): Promise<string> {
  const stats = await handle.stat();
  if (stats.isDirectory()) throw new Error('a folder');
  if (!stats.isFile()) throw new Error('a pipe or a device');
  let text = '';
  for await (const chunk of handle.createReadStream({ encoding: 'utf8', autoClose: false })) {
    text += String(chunk);
    if (text.length > MAX_CHARACTERS) throw new Error(`more than ${MAX_CHARACTERS} characters`);
  }
  return text;
}

/** Most lexical tokens, spaces included: memory and time of the YAML parser grow with them. */
const MAX_TOKENS = 500_000;

/** Tokens that make a short text a long document, or values beyond JSON. */
const REFERENCES: readonly unknown[] = ['anchor', 'alias', 'tag'];

/** Most characters of a document in an error: the file may hold secrets. */
const MAX_QUOTED = 80;

function shortened(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

/** Tokenises a text, within limits of time, memory and stack that no real document reaches. */
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
    if (!REFERENCES.includes(type)) continue;
    throw new Error(`${type} ${shortened(lexeme)}: write the value itself`);
  }
  return [...tokens, ...parser.end()];
}

/** The parser's own check for duplicate keys takes quadratic time. */
function checkKeys({ items }: YAMLMap): void {
  const known = new Set<string>();
  for (const { key } of items) {
    const name = isScalar(key) ? key.value : undefined;
    if (typeof name !== 'string') throw new Error('a key that is no text');
    if (known.has(name)) throw new Error(`"${shortened(name)}" twice: keys must be unique`);
    known.add(name);
  }
}

/**
 * Reads JSON, or the JSON subset of YAML: one document of at most 16 Mi characters, 500,000
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
      throw new Error(`${shortened(problem.message)} at line ${line}, column ${col}`);
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
