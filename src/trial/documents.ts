import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { messageOf, TrialError, type ErrorCode } from '../foundation/errors.ts';
import { bindSearchSpace, parseNasSpace, parseSkeleton } from '../searchspace/parse.ts';
import type { SearchSpace } from '../searchspace/space.ts';

/**
 * Reads a text file.
 *
 * @throws TrialError FILE_UNREADABLE
 */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TrialError(
      'FILE_UNREADABLE',
      { where: file, wanted: 'a readable file', found: messageOf(cause), next: 'Check the path' },
      cause,
    );
  }
}

/**
 * Reads JSON or YAML; no key may occur twice.
 *
 * @param code - Of the error for a text that is neither.
 */
export function parseDocument(text: string, where: string, code: ErrorCode): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new TrialError(
      code,
      { where, wanted: 'JSON or YAML', found: messageOf(cause), next: 'Correct the text' },
      cause,
    );
  }
}

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
