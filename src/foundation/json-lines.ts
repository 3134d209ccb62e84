import { readFile } from 'node:fs/promises';
import { messageOf, TrialError } from './errors.ts';

/** What a file of JSON lines is, for the complaint about one that is none. */
export interface JsonLinesContent {
  /** Such as `the metrics of this search`. */
  readonly noun: string;
  /** What the person who reads the error does next. */
  readonly next: string;
}

/**
 * Values of a file of JSON lines; none where there is no file. A last line without its line end was
 * torn when a process was killed, and is left out.
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
