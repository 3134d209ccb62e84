import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import { parseDocument, readText } from '../foundation/documents.ts';
import { createValidator, type Validator } from '../foundation/schema.ts';
import type { SearchResult } from '../generated/result.ts';

/** Checks a `result.json`. @throws TrialError ARCHITECTURE_INVALID */
export const parseResult: Validator<SearchResult> = createValidator({
  schema: resultSchema,
  code: 'ARCHITECTURE_INVALID',
  noun: 'the result of a search',
  next: 'Search again; schemas/result.schema.json describes the file.',
});

/** Reads a `result.json`. @throws TrialError FILE_UNREADABLE, ARCHITECTURE_INVALID */
export async function readResult(file: string): Promise<SearchResult> {
  return parseResult(parseDocument(await readText(file), file, 'ARCHITECTURE_INVALID'), file);
}
