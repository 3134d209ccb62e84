import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import { createValidator } from '../foundation/schema.ts';
import type { SearchResult } from '../generated/result.ts';

/**
 * Checks the content of a result file.
 *
 * @throws TrialError ARCHITECTURE_INVALID
 */
export const parseResult = createValidator<SearchResult>({
  schema: resultSchema,
  code: 'ARCHITECTURE_INVALID',
  noun: 'the result of a search',
  next: 'Use a result.json as the search wrote it; schemas/result.schema.json describes it',
});
