import checkpointSchema from '../../../schemas/checkpoint.schema.json' with { type: 'json' };
import { sha256 } from '../../foundation/digest.ts';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { createValidator } from '../../foundation/schema.ts';
import type { CheckpointManifest } from '../../generated/checkpoint.ts';

const validateManifest = createValidator<CheckpointManifest>({
  schema: checkpointSchema,
  code: 'CHECKPOINT_INVALID',
  noun: 'the manifest of a checkpoint',
  next: 'schemas/checkpoint.schema.json describes the file; an older checkpoint of the folder may be whole',
});

/** The text of a manifest; its last key is the digest of the others. */
export function manifestText(content: Omit<CheckpointManifest, 'sha256'>): string {
  return JSON.stringify({ ...content, sha256: sha256(JSON.stringify(content)) });
}

/**
 * Reads a manifest and checks its digest.
 *
 * @param where - Path of the file, for errors.
 * @throws TrialError CHECKPOINT_INVALID
 */
export function parseManifest(text: string, where: string): CheckpointManifest {
  const { document, digest } = parseDigested(text, where);
  const manifest = validateManifest(document, where);
  if (manifest.sha256 === digest) return manifest;
  throw damaged(where, `the digest ${manifest.sha256}`, digest);
}

/** Parses a text and computes the digest of all but its `sha256`, as {@link manifestText} does. */
function parseDigested(text: string, where: string): { document: unknown; digest: string } {
  try {
    const document: unknown = JSON.parse(text);
    const content = { ...(document as object), sha256: undefined };
    return { document, digest: sha256(JSON.stringify(content)) };
  } catch (cause) {
    throw damaged(where, 'JSON', messageOf(cause), cause);
  }
}

/** The error for a damaged file. */
export function damaged(where: string, wanted: string, found: string, cause?: unknown): TrialError {
  const next = 'The file is damaged or missing: an older checkpoint of the folder may be whole.';
  return new TrialError('CHECKPOINT_INVALID', { where, wanted, found, next }, cause);
}
