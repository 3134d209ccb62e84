import path from 'node:path';
import configSchema from '../../schemas/trial-config.schema.json' with { type: 'json' };
import { TrialError } from '../foundation/errors.ts';
import { createValidator } from '../foundation/schema.ts';
import type { TrialConfigFile } from '../generated/trial-config.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { parseDocument } from '../foundation/documents.ts';

/** A checked trial config; its paths are absolute. */
export interface TrialConfig extends Readonly<TrialConfigFile> {
  /** Folder of the config file, the base of relative paths. */
  readonly directory: string;
}

const validateConfig = createValidator<TrialConfigFile>({
  schema: configSchema,
  code: 'CONFIG_INVALID',
  noun: 'a trial config',
  next: 'Correct the values; schemas/trial-config.schema.json describes them',
});

/** Dotted keys of a schema's properties, such as `seed` and `data.jitter`. */
function keysOf(properties: object, prefix = ''): readonly string[] {
  return Object.entries(properties).flatMap(([name, property]: [string, object]) =>
    'properties' in property
      ? keysOf(property.properties as object, `${prefix}${name}.`)
      : [`${prefix}${name}`],
  );
}

/** All config keys that are settings, dotted, such as `seed` and `data.jitter`. */
export const CONFIG_KEYS: readonly string[] = keysOf(configSchema.properties).filter(
  (key) => key !== '$schema' && key !== 'version',
);

/** Keys that a tuner may not set: network, task, and paths to write to. */
const FILE_KEYS: readonly string[] = [
  'task',
  'skeleton',
  'space',
  'data.cache',
  'output',
  'resumeFrom',
  'supernet',
  'arch',
  'rank.table',
];

/** Keys that a tuner, or a study, may set. */
export const PARAMETER_KEYS: readonly string[] = CONFIG_KEYS.filter(
  (key) => !FILE_KEYS.includes(key),
);

function resolvePaths(file: TrialConfigFile, directory: string): TrialConfig {
  const absolute = (relative: string): string => path.resolve(directory, relative);
  const optional = <Key extends string>(key: Key, relative: string | undefined) =>
    (relative === undefined ? {} : { [key]: absolute(relative) }) as Partial<Record<Key, string>>;
  return {
    ...file,
    directory,
    skeleton: absolute(file.skeleton),
    space: absolute(file.space),
    data: { ...file.data, path: absolute(file.data.path), cache: absolute(file.data.cache) },
    ...optional('output', file.output),
    ...optional('resumeFrom', file.resumeFrom),
    ...optional('supernet', file.supernet),
    rank: { ...file.rank, ...optional('table', file.rank.table) },
  };
}

/**
 * Reads a trial config.
 *
 * @param text - JSON or YAML.
 * @param where - Path of the file; its folder is the base of relative paths.
 * @throws TrialError CONFIG_INVALID
 */
export function parseTrialConfig(text: string, where: string): TrialConfig {
  const file = validateConfig(parseDocument(text, where, 'CONFIG_INVALID'), where);
  return resolvePaths(file, path.dirname(where));
}

function unexpected(wanted: string, keys: readonly string[], next: string): TrialError {
  const found = keys.map((key) => `"${key}"`).join(', ');
  return new TrialError('PARAMETERS_UNEXPECTED', {
    where: "the tuner's parameters",
    wanted,
    found,
    next,
  });
}

/** Settings by name; a group is a nested record. */
type Settings = Record<string, unknown>;

/**
 * Replaces config values by the tuner's parameters.
 *
 * @param parameters - Untrusted: dotted config key to value.
 * @param boundLabels - Labels of the network, which a tuner may not sample: the search does.
 * @returns A new config.
 * @throws TrialError PARAMETERS_UNEXPECTED when a key is a label, no config key, or one that only
 *   the file may set.
 * @throws TrialError CONFIG_INVALID when a value does not suit its key.
 */
export function applyParameters(
  config: TrialConfig,
  parameters: Readonly<Record<string, unknown>>,
  boundLabels: readonly string[],
): TrialConfig {
  const keys = Object.keys(parameters);
  const labels = keys.filter((key) => boundLabels.includes(key));
  if (labels.length > 0) {
    const next =
      "Keep the network's labels out of the experiment's searchSpace: the search samples";
    throw unexpected('config keys only', labels, `${next} them itself`);
  }
  const unknown = keys.filter((key) => !PARAMETER_KEYS.includes(key));
  if (unknown.length > 0) {
    const wanted = `config keys: ${PARAMETER_KEYS.join(', ')}`;
    throw unexpected(wanted, unknown, "Correct the experiment's searchSpace");
  }
  return changeConfig(config, parameters, "the tuner's parameters");
}

/**
 * Replaces values of a config.
 *
 * @param values - By dotted config key; paths are relative to the config file.
 * @param where - Origin of the values, for errors.
 * @throws TrialError CONFIG_INVALID when a value does not suit its key.
 */
export function changeConfig(
  config: TrialConfig,
  values: Readonly<Record<string, unknown>>,
  where: string,
): TrialConfig {
  const { directory, ...file } = config;
  const changed: Settings = structuredClone({ ...file });
  for (const [key, value] of Object.entries(values)) {
    const groups = key.split('.');
    const name = groups.pop() ?? '';
    const owner = groups.reduce((group, inner) => (group[inner] ??= {}) as Settings, changed);
    owner[name] = value;
  }
  return resolvePaths(validateConfig(changed, where), directory);
}

/**
 * Checks that a prior names only candidates of the space and leaves every block at least one.
 *
 * @throws TrialError CONFIG_INVALID
 */
export function checkPrior(space: SearchSpace, prior: TrialConfig['prior']): void {
  if (prior === undefined) return;
  const weights = new Map(Object.entries(prior));
  const refuse = (where: string, wanted: string, found: string): never => {
    throw new TrialError('CONFIG_INVALID', { where, wanted, found, next: 'Correct the prior' });
  };
  const unknown = [...weights.keys()].find((name) => !space.candidateNames.includes(name));
  if (unknown !== undefined) refuse('/prior', space.candidateNames.join(', '), `"${unknown}"`);
  for (const { name, candidates } of space.choices) {
    const names = candidates.map((candidate) => candidate.name);
    if (!names.some((candidate) => (weights.get(candidate) ?? 0) > 0)) {
      refuse(
        `/prior for label "${name}"`,
        `a weight above 0 for one of ${names.join(', ')}`,
        'none',
      );
    }
  }
}
