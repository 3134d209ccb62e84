/** All that determines the numbers of a search, which identifies its checkpoints. */

import { ALGORITHMS } from '../algorithms/registry.ts';
import type { Dataset } from '../data/store/dataset.ts';
import { sha256 } from '../foundation/digest.ts';
import type { TrainingPlan } from '../training/plan.ts';
import { CONFIG_KEYS, type TrialConfig } from './config.ts';

/**
 * Config keys that no number of a search depends on. Of the files that some of them name the content
 * counts, which {@link mathematicsOf} adds.
 */
const CIRCUMSTANCE_KEYS: readonly string[] = [
  'task',
  'skeleton',
  'space',
  'data.path',
  'data.format',
  'data.cache',
  'engine',
  'threads',
  'output',
  'checkpoint.steps',
  'checkpoint.minutes',
  'resumeFrom',
  'supernet',
  'arch',
];

/** Config keys that do not affect the numbers of the training. */
const HARMLESS_KEYS: readonly string[] = [...CIRCUMSTANCE_KEYS, 'baselinePaths'];

/** Groups of keys that do not concern the training. */
const HARMLESS_GROUPS: readonly string[] = ['selection.', 'rank.'];

/** Name of the digest of skeleton and space among the mathematics. */
export const SPACE_CONTENT = 'content of skeleton and space';

/** Name of the digest of the images among the mathematics. */
export const DATA_CONTENT = 'content of data';

/** Source of a search's mathematics. */
export interface MathematicsSource {
  readonly config: TrialConfig;
  readonly plan: TrainingPlan;
  /** The algorithm's settings, defaults filled in. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly spaceSha256: string;
  readonly dataset: Dataset;
}

/** All that determines the numbers of a search, by config key, with defaults; plain JSON. */
export function mathematicsOf(source: MathematicsSource): Record<string, unknown> {
  const { config, plan, settings, spaceSha256, dataset } = source;
  const { rate, optimizer, rankingImages } = plan;
  const filledIn = {
    ...config,
    lr: rate.lr,
    warmupSteps: rate.warmupSteps,
    weightDecay: optimizer.weightDecay,
    rankingImages,
    ...settings,
  };
  const keys = CONFIG_KEYS.filter((key) => matters(key, config.algorithm));
  const all: Record<string, unknown> = {
    ...Object.fromEntries(keys.map((key) => [key, valueAt(filledIn, key)])),
    [SPACE_CONTENT]: spaceSha256,
    [DATA_CONTENT]: digestOf(dataset),
  };
  // Infinity and missing values become null in JSON, on both sides of a comparison.
  const text = JSON.stringify(all, (_, value: unknown) => value ?? null);
  return JSON.parse(text) as Record<string, unknown>;
}

/** The settings that a search and its answer depend on, by config key, as the config has them; plain JSON. */
export function settingsOf(config: TrialConfig): Record<string, unknown> {
  const keys = CONFIG_KEYS.filter(
    (key) => !CIRCUMSTANCE_KEYS.includes(key) && !key.startsWith('rank.'),
  );
  const entries = keys.map((key) => [key, valueAt(config, key) ?? null] as const);
  return structuredClone(Object.fromEntries(entries));
}

function matters(key: string, algorithm: TrialConfig['algorithm']): boolean {
  if (HARMLESS_KEYS.includes(key) || HARMLESS_GROUPS.some((group) => key.startsWith(group))) {
    return false;
  }
  const readers = Object.entries(ALGORITHMS).filter(([, { configKeys }]) =>
    configKeys.includes(key),
  );
  return readers.length === 0 || readers.some(([name]) => name === algorithm);
}

/** Changes when any pixel, any label or the choice of images changes. */
export function digestOf({ train, test, classes, skipped, pixelsSha256 }: Dataset): string {
  // Without their reasons, which may name the folder.
  const names = skipped.map(({ name }) => name);
  const labels = [train, test].map((set) => Array.from(set?.labels ?? []));
  return sha256(JSON.stringify([classes, names, labels, pixelsSha256]));
}

function valueAt(values: object, dottedKey: string): unknown {
  return dottedKey
    .split('.')
    .reduce<unknown>((value, key) => (Object(value) as Record<string, unknown>)[key], values);
}
