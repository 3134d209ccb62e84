import { parseDocument, readText } from '../foundation/documents.ts';
import { bindSearchSpace, parseNasSpace, parseSkeleton } from '../searchspace/parse.ts';
import { sha256 } from '../foundation/digest.ts';
import type { SearchSpace } from '../searchspace/space.ts';

/** The two files that a search space consists of. */
export interface SpaceFiles {
  /** Path of the network skeleton. */
  readonly skeleton: string;
  /** Path of the NNI search space. */
  readonly space: string;
}

/**
 * Reads and binds the two files of a search space.
 *
 * @throws TrialError FILE_UNREADABLE, SKELETON_INVALID, SEARCH_SPACE_INVALID
 */
export async function loadSearchSpace({ skeleton, space }: SpaceFiles): Promise<SearchSpace> {
  const template = parseDocument(await readText(skeleton), skeleton, 'SKELETON_INVALID');
  const labels = parseDocument(await readText(space), space, 'SEARCH_SPACE_INVALID');
  return bindSearchSpace(parseSkeleton(template, skeleton), parseNasSpace(labels, space), space);
}

/** Digest of a resolved space: of all that its two files say. */
export function spaceSha256(space: SearchSpace): string {
  return sha256(JSON.stringify(space));
}
