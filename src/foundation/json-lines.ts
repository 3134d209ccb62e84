import { readFile } from 'node:fs/promises';
import { messageOf, TrialError } from './errors.ts';

/** Texts for errors about a file of JSON lines. */
export interface JsonLinesContent {
  /** Such as `the metrics of this search`. */
  readonly noun: string;
  /** The next step for the user. */
  readonly next: string;
}

/**
 * Values of a file of JSON lines; none without a file. Leaves out a last line without a line end, which
 * a killed process has torn.
 *
 * @throws TrialError FILE_UNREADABLE
 */
export async function readJsonLines(file: string, content: JsonLinesContent): Promise<unknown[]> {
  try {
    const text = await readFile(file, 'utf8');
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as unknown);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    const { noun, next } = content;
    const wanted = `${noun}, one a line in JSON`;
    throw new TrialError(
      'FILE_UNREADABLE',
      { where: file, wanted, found: messageOf(cause), next },
      cause,
    );
  }
}
