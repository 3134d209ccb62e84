/** Which search a checkpoint belongs to, and whether another one may go on with it. */

import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../data/store/dataset.ts';
import { sha256 } from '../foundation/digest.ts';
import { TrialError } from '../foundation/errors.ts';
import type { SearchPlan } from '../training/plan.ts';
import { CONFIG_KEYS, type TrialConfig } from './config.ts';
import type { Images } from './images.ts';

/**
 * Config keys that no number of the search follows from. Of the files that some of them name it is
 * the content that counts, which {@link mathematicsOf} adds.
 */
const HARMLESS_KEYS: readonly string[] = [
  'skeleton',
  'space',
  'data.path',
  'data.format',
  'data.cache',
  'baselinePaths',
  'engine',
  'threads',
  'output',
  'checkpoint.steps',
  'checkpoint.minutes',
  'resumeFrom',
];

/** What the numbers of a search follow from. */
export interface MathematicsSource {
  readonly config: TrialConfig;
  readonly plan: SearchPlan;
  readonly spaceSha256: string;
  readonly images: Images;
}

/** All that the numbers of a search follow from, by config key, defaults filled in; plain JSON. */
export function mathematicsOf(source: MathematicsSource): Record<string, unknown> {
  const { config, plan, spaceSha256, images } = source;
  const keys = CONFIG_KEYS.filter((key) => !HARMLESS_KEYS.includes(key));
  const values = keys.map((key) => [key, valueAt(plan, key) ?? valueAt(config, key)] as const);
  const all: Record<string, unknown> = {
    ...Object.fromEntries(values),
    'content of skeleton and space': spaceSha256,
    'content of data': digestOf(images.dataset),
  };
  // Infinity and what is left out are null in JSON, and so on both sides of a comparison.
  const text = JSON.stringify(all, (_, value: unknown) => value ?? null);
  return JSON.parse(text) as Record<string, unknown>;
}

/** Changes when any pixel, any label or the choice of images changes. */
function digestOf({ train, test, classes, skipped, pixelsSha256 }: Dataset): string {
  // Not their reasons, which may name the folder.
  const names = skipped.map(({ name }) => name);
  const labels = [train, test].map((set) => Array.from(set?.labels ?? []));
  return sha256(JSON.stringify([classes, names, labels, pixelsSha256]));
}

function valueAt(values: object, dottedKey: string): unknown {
  return dottedKey
    .split('.')
    .reduce<unknown>((value, key) => (Object(value) as Record<string, unknown>)[key], values);
}

/**
 * Refuses to go on with a search that was another one.
 *
 * @param file - The checkpoint, for the complaint.
 * @throws TrialError CHECKPOINT_MISMATCH naming the keys that differ.
 */
export function requireSameMathematics(
  saved: Readonly<Record<string, unknown>>,
  current: Readonly<Record<string, unknown>>,
  file: string,
): void {
  const keys = differingKeys(saved, current);
  if (keys.length === 0) return;
  const list = (values: Readonly<Record<string, unknown>>): string =>
    keys.map((key) => `${key} = ${JSON.stringify(values[key] ?? null)}`).join(', ');
  throw new TrialError('CHECKPOINT_MISMATCH', {
    where: file,
    wanted: list(saved),
    found: list(current),
    next: 'Set these back, or search in another folder, or throw the unfinished search away with --overwrite.',
  });
}

/** Keys whose values are not the same, in the order of the first. */
export function differingKeys(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => !isDeepStrictEqual(a[key], b[key]));
}
